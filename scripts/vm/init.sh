#!/bin/sh
# Process 1 of the machine that `npm run test:vm` boots: /init SECONDS. Tells on the second serial port, then ends.
export PATH=/bin HOME=/root

# pivot_root(2) refuses the kernel's first root file system, and user namespaces a chroot that is not its mount's root:
# the same files are made another mount, which takes the place of the first.
if [ "$2" != moved ]; then
  mkdir /moved
  mount --bind / /moved
  cd /moved
  mount --move . /
  exec chroot . /init "$1" moved
fi

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /dev/shm /dev/pts
mount -t tmpfs tmpfs /dev/shm
ip link set lo up

stty -F /dev/ttyS1 raw -echo
cd /boxer
export BOXER_TEST_SLOWNESS=10
xargs timeout -s KILL "$1" node_modules/.bin/bun scripts/vm/run-in-machine.ts < /tests > /dev/ttyS1 2>&1
poweroff -f
