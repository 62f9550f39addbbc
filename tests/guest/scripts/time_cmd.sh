# time and times: their shape.
time true 2>&1 | awk '{ print $1 }' ; (time sleep 0.1) 2>&1 | awk '{ print $1 }'; times | wc -l; /usr/bin/time -f '%x %C' sh -c 'exit 3' 2>&1; /usr/bin/time -p true 2>&1 | awk '{ print $1 }'; TZ=UTC0 date -d '1999-12-31 23:59:59' +%s; date +%Y | awk '{ print ($1 > 2000) }'
