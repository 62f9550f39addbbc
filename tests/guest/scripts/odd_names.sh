# Directories as files: reading, opening for writing, cat, dd; special names.
cat . 2>&1; dd if=. of=x 2>&1 | head -n 1; echo x >. ; echo $?; mkdir '...' ' ' 'a
b'; ls -1 | wc -l; ls -a | head -n 3; rmdir '...' ' '; printf 'n\351\n' | xargs touch; ls | od -c | head -n 2
touch 'x*y' 'x?y' '$HOME' "it's"; ls x\*y '$HOME' "it's"; [ -d . ] && [ -f "it's" ] && [ ! -e none ] && [ -s /etc/passwd ] && [ -p /dev/null ] || echo tests; [ -c /dev/null ] && echo char
