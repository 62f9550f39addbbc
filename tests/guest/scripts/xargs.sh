# xargs: batches, replacement, empty input, failures, quoting.
seq 1 10 | xargs; seq 1 10 | xargs -n 3 echo row; seq 1 3 | xargs -I{} echo '<{}>'
printf 'a b\nc\n' | xargs -n1; printf 'a b\0c\0' | xargs -0 -n1
printf "'q u' \"d q\"\n" | xargs -n1; xargs -r echo never </dev/null; xargs echo once </dev/null
echo x | xargs false; echo $?; echo x | xargs sh -c 'exit 255' 2>/dev/null; echo $?
echo x | xargs nosuch 2>/dev/null; echo $?; seq 1 5000 | xargs echo | wc -w
seq 1 6 | xargs -n1 -P3 echo | sort
