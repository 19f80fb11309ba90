// Round numbers for axes.

/** The least of 1, 2, 5 times a power of ten (of two for bytes) that is not less than the value. */
export function niceMax(value, binary = false) {
  if (!(value > 0)) return 1;
  const base = binary ? 1024 : 10;
  const power = base ** Math.floor(Math.log(value) / Math.log(base));
  const steps = binary ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : [1, 2, 5, 10];
  return power * (steps.find((step) => power * step >= value) ?? base);
}
