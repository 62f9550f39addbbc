# Mounts: .. across them, stacked, files below hidden and back, rename and link across them, ro.
mkdir m; echo below >m/f; mount -t tmpfs none m; ls m; cd m; mkdir -p a; cd a; cd ../..; pwd | sed 's#.*/##'
mount -t tmpfs none m; touch m/top; ls m; umount m; ls m; echo x >g; ln g m/g 2>&1; mv g m/; cat m/g
rmdir m 2>&1; mv m n 2>&1; umount m; cat m/f
mount -t tmpfs -o ro none m; touch m/x 2>&1; mount -o remount,rw m && touch m/x && ls m; umount m
[ "$(stat -c %d m)" = "$(stat -c %d .)" ] && echo same device
mount -t proc proc m && ls m | grep -c '^self$'; umount m
mkdir b; mount --bind b m 2>/dev/null && { touch b/z; ls m; umount m; }; ls m
