// Gets the samples: once a second, those that are new. Nothing is asked for while the page is paused or hidden, and the server then stops collecting.

const history = 125_000; // milliseconds of samples
const retry = 2000;

export class Feed extends EventTarget {
  /** Of the process. */
  about = null;
  samples = [];
  timelines = [];
  /** Whether the server records the timeline now. */
  traced = false;
  /** Whether it is wanted. */
  withTimeline = true;
  paused = false;
  /** Why there is nothing new, or null. */
  failure = null;

  #url;
  #timer = 0;
  #request = null;

  constructor(url) {
    super();
    this.#url = url;
    document.addEventListener("visibilitychange", () => this.#restart());
  }

  start() {
    this.#restart();
  }

  pause(paused) {
    this.paused = paused;
    this.#restart();
    this.#tell();
  }

  get isLive() {
    return !this.paused && !document.hidden;
  }

  #restart() {
    clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
    if (this.isLive) this.#poll();
  }

  async #poll() {
    const request = (this.#request = new AbortController());
    let wait = retry;
    try {
      const after = this.samples.at(-1)?.number ?? 0;
      const answer = await fetch(`${this.#url}?after=${after}&timeline=${this.withTimeline ? 1 : 0}`, { cache: "no-store", signal: request.signal });
      if (!answer.ok) throw new Error(`the server answers ${answer.status}`);
      const data = await answer.json();
      if (request !== this.#request) return;
      this.#take(data);
      this.failure = data.failure ?? null;
      wait = data.next + 50;
    } catch (error) {
      if (request !== this.#request) return;
      this.failure = error instanceof TypeError ? "the server does not answer" : error.message;
    }
    this.#tell();
    this.#timer = setTimeout(() => this.#poll(), wait);
  }

  #take(data) {
    if (this.about?.id !== data.about.id || this.about.started !== data.about.started) {
      this.about = data.about;
      this.samples = [];
      this.timelines = [];
    }
    this.traced = data.traced;
    const last = this.samples.at(-1)?.number ?? 0;
    this.samples.push(...data.samples.filter((sample) => sample.number > last));
    const lastTimeline = this.timelines.at(-1)?.number ?? 0;
    this.timelines.push(...data.timelines.filter((timeline) => timeline.number > lastTimeline));
    if (this.timelines.length > 12) this.timelines.splice(0, this.timelines.length - 12);
    const oldest = (this.samples.at(-1)?.time ?? 0) - history;
    const first = this.samples.findIndex((sample) => sample.time >= oldest);
    if (first > 0) this.samples.splice(0, first);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
