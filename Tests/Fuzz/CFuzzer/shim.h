// libFuzzer as a library: it has no header of its own in every toolchain.
#ifndef SLUICE_FUZZ_CFUZZER_H
#define SLUICE_FUZZ_CFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*check)(const uint8_t *bytes, size_t count));

#endif
