// What each scenario asks of a server unless `-e` says otherwise. run.sh reads this table too: one line a scenario, numbers only.
//
//   rate       requests/s, but for rest: iterations/s
//   seconds    for so long
//   vus        at most so many at a time; as what is due while all wait is dropped, which fails the run, no fewer than rate times the limits below
//   p99        ms that the 99th percentile must stay below, and others that are the scenario's own

export const scenarios = {
    smoke: { rate: 10, seconds: 3, vus: 8, p99: 250 },
    plaintext: { rate: 1000, seconds: 30, vus: 64, p99: 25 },
    rest: { rate: 50, seconds: 30, vus: 32, p99: 50 },
    spike: { rate: 4000, seconds: 30, vus: 1024, p99: 25, peak: 250 },
    ramp: { rate: 2000, seconds: 50, vus: 256, p99: 25 },
    soak: { rate: 500, seconds: 600, vus: 64, p99: 25 },
    websocket: { rate: 0, seconds: 30, vus: 64, p99: 25 },
    blocking: { rate: 1000, seconds: 30, vus: 64, p99: 25, blockers: 100 },
};
