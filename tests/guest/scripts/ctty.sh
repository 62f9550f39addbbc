# The controlling terminal: /dev/tty with and without one, tty, stty.
setsid sh -c 'echo x >/dev/tty' 2>&1
setsid -c sh -c 'tty; [ -t 0 ] && echo terminal; : </dev/tty && echo opens' </dev/console 2>&1 | sed 's#/dev/.*#device#'
setsid -c sh -c 'stty -icanon min 1; stty -a 2>/dev/null | grep -o -e "-icanon"; stty sane; stty -a 2>/dev/null | grep -o "icanon.*" | cut -c1-6' </dev/console
setsid -c sh -c 'stty rows 30 cols 90; stty size' </dev/console
tty </dev/null; stty </dev/null 2>&1; [ -t 1 ] || echo "no terminal"
i=0; while [ $i -lt 40 ]; do setsid -c sh -c 'stty -icanon min 1; stty -a | grep -o -e "-icanon"' </dev/console; i=$((i+1)); done | uniq -c
