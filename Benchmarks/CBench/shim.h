// What the benchmark asks of the kernel and the Glibc module hides: core pinning and "die with the parent". No logic.
#ifndef SLUICE_CBENCH_H
#define SLUICE_CBENCH_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Lets the calling thread, and what it starts from now on, run on the cores whose bits are set (core 0 is bit 0).
static inline long bench_set_affinity(unsigned long cores) {
    return syscall(SYS_sched_setaffinity, 0, sizeof(cores), &cores);
}

/// Asks the kernel to kill this process when its parent ends, however it ends.
static inline int bench_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

#endif
