// Counts the allocations of the program it is linked into.
#ifndef SLUICE_CALLOCATIONS_H
#define SLUICE_CALLOCATIONS_H
#include <stdint.h>

/// How many blocks this thread has asked the C library for so far.
uint64_t callocations_count(void);

/// How many bytes of blocks, with what they cost beside, are in use.
uint64_t callocations_bytes(void);
#endif
