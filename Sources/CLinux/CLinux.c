#include "CLinux.h"

__thread void *sluice_thread_loop __attribute__((tls_model("initial-exec")));
