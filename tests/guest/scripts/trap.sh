# Traps: signals, EXIT, ignoring, resetting, in subshells, listing.
trap 'echo usr1' USR1; kill -USR1 $$; trap 'echo changed' USR1; kill -USR1 $$
trap '' USR2; kill -USR2 $$; sh -c 'kill -USR2 $$; echo "ignored in a child too"'
trap - USR1; (kill -USR1 $(sh -c 'echo $PPID'); echo unreached); echo $?
(trap 'echo bye' EXIT; echo in); (trap 'echo term; exit 3' TERM; kill -TERM $(sh -c 'echo $PPID')); echo $?
trap 'echo t1' TERM; trap 'echo i1' INT; trap; trap - TERM INT; trap
sh -c 'trap "echo got; exit 5" ALRM; kill -ALRM $$; sleep 5'; echo $?
trap 'echo line' HUP; kill -HUP $$; true && echo after
trap x NOSUCH 2>&1; echo "end"; trap 'echo exit $?' EXIT; false
