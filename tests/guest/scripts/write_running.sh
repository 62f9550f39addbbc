# A program's file while it runs: cannot be written, can be removed and replaced.
cp /bin/busybox ./sleep; ./sleep 5 & p=$!; sleep 0.2; echo x >sleep; echo $?; cp /bin/busybox sleep 2>&1 | head -n 1; rm sleep; kill -0 $p && echo "runs on"; readlink /proc/$p/exe | sed 's#.*/##'
cp /bin/busybox sleep; ./sleep 0; echo $?; kill $p; wait $p 2>/dev/null; echo $?
