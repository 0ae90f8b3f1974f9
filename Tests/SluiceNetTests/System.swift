import Glibc

func pauseThread() { _ = usleep(1000) }

/// Makes a listening socket take a single connection that nobody accepts.
func shrinkBacklog(_ fd: Int32) { _ = listen(fd, 0) }
