#include "driver.h"

#include <math.h>

uint32_t size_choices[SIZE_CHOICES];

// Marsaglia's xorshift64.
uint64_t random_next(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

uint64_t random_seed(unsigned worker) { return 0x9E3779B97F4A7C15u * (worker + 1); }

static double uniform(uint64_t *state) { return (double)(random_next(state) >> 11) * 0x1p-53; }

void sizes_fill(const struct parameters *p) {
    uint64_t state = random_seed(1000);
    for (int i = 0; i < SIZE_CHOICES; i++) {
        if (p->median != 0) {
            // Box and Muller.
            double radius = sqrt(-2 * log(1 - uniform(&state)));
            double size = p->median * exp(radius * cos(2 * 3.14159265358979323846 * uniform(&state)));
            size_choices[i] = size < 1 ? 1 : size > 32768 ? 32768 : (uint32_t)size;
        } else {
            size_choices[i] = (uint32_t)(p->smallest + ((random_next(&state) >> 32) * (p->largest - p->smallest + 1) >> 32));
        }
    }
}
