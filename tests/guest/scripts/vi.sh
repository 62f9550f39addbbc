# vi edits a file without a terminal; its keys come from a pipe, one after the other.
keys() { for k; do printf "$k"; sleep 0.2; done; }
printf 'one\ntwo\n' >f; keys 'ihello ' '\033' ':wq\r' | vi f >/dev/null 2>&1; cat f
keys 'j' 'dd' 'Gothree' '\033' ':wq\r' | vi f >/dev/null 2>&1; cat f
