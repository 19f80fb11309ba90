// random: SplitMix64. The whole state is one number, so a run can be told by its seed.

#ifndef SOAK_RANDOM_H
#define SOAK_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t random_next(struct random *r) {
    return random_mix(r->state += 0x9e3779b97f4a7c15u);
}

static inline uint64_t random_below(struct random *r, uint64_t bound) {
    return random_next(r) % bound;
}

static inline uint64_t random_between(struct random *r, uint64_t least, uint64_t most) {
    return least + random_below(r, most - least + 1);
}

static inline bool random_chance(struct random *r, unsigned percent) {
    return random_below(r, 100) < percent;
}

// 0 to most; as often between 8 and 16 as between 8192 and 16384.
static inline uint64_t random_size(struct random *r, uint64_t most) {
    uint64_t bits = 0;
    while (bits < 63 && most >> bits != 0)
        bits++;
    uint64_t size = random_below(r, (uint64_t)1 << random_below(r, bits + 1));
    return size < most ? size : most;
}

#endif
