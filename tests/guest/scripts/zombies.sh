# Orphans go to init, which reaps them; many children at once.
for i in $(seq 1 50); do (exit 0) & done; wait; ps -o stat | grep -c '^Z'; sh -c 'sh -c "sleep 0.2; exit 3" & exit 0'; sleep 0.6; ps -o stat | grep -c '^Z'
i=0; while [ $i -lt 60 ]; do /bin/true; i=$((i+1)); done; echo $i; for i in $(seq 1 20); do (sleep 0.1; echo done) & done | sort | uniq -c
