// Numbers in words, with their units. All of them take null for "not known".

const none = "–";
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const hundredths = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });

/** Three digits or so. */
function short(value) {
  const size = Math.abs(value);
  return (size >= 100 ? whole : size >= 10 ? tenths : hundredths).format(value);
}

function scaled(value, step, units) {
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return `${short(value)}${units[unit]}`;
}

/** 1,234; from 100,000 on 123 k. */
export function count(value) {
  if (value == null) return none;
  return Math.abs(value) < 100_000 ? whole.format(value) : scaled(value, 1000, ["", " k", " M", " G"]);
}

/** Always 1,234,567. */
export function exact(value) {
  return value == null ? none : whole.format(value);
}

/** For axes: 1.2 k. */
export function compact(value) {
  return value == null ? none : scaled(value, 1000, ["", " k", " M", " G"]);
}

export function rate(value) {
  return value == null ? none : `${compact(value)}/s`;
}

export function bytes(value) {
  return value == null ? none : scaled(value, 1024, [" B", " KiB", " MiB", " GiB", " TiB"]);
}

/** A part of one. */
export function percent(value) {
  return value == null ? none : `${value > 0 && value < 0.1 ? tenths.format(value * 100) : whole.format(value * 100)} %`;
}

export function seconds(value) {
  if (value == null) return none;
  if (value === 0) return "0 s";
  if (value < 1e-3) return `${short(value * 1e6)} µs`;
  return value < 1 ? `${short(value * 1e3)} ms` : `${short(value)} s`;
}

export function microseconds(value) {
  return value == null ? none : seconds(value * 1e-6);
}

/** Of a day, by milliseconds since 1970. */
export function clock(time, withFraction = false) {
  const date = new Date(time);
  const part = (n, digits = 2) => String(n).padStart(digits, "0");
  const text = `${part(date.getHours())}:${part(date.getMinutes())}:${part(date.getSeconds())}`;
  return withFraction ? `${text}.${part(date.getMilliseconds(), 3)}` : text;
}

export function signed(value) {
  if (value == null) return none;
  return value > 0 ? `+${count(value)}` : value < 0 ? `−${count(-value)}` : "0";
}
