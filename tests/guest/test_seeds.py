# SPDX-License-Identifier: MIT
"""The loops that started it all, word for word, in Debian's shell: run by an ordinary user in a
group with a limit on kernel memory. The group is refused, the shell says so and lives; a shell
outside answers `ls /` within a second of guest time; afterwards all memory is back."""
import re

import pytest

# Made by root outside: a group, the loop in it, and what the machine says until so many seconds
# after the first refusal (600 s after the start, if there is none).
SCRIPT = r"""
limit=$1 seconds=$2; loop=$3
G=/seed
usage() { cg get $G memory.kmem.usage_in_bytes; }
cg create $G; cg set $G memory.kmem.limit_in_bytes $limit
mkdir -m 777 /tmp/seed
echo "start $(usage)"
cat >/tmp/seed.sh <<EOF
PS1=; PS2=
cd /tmp/seed
$loop
echo alive
EOF
cg exec $G su student -c 'exec sh -i' </tmp/seed.sh >/tmp/out 2>/tmp/err &
now() { set -- $(tr . ' ' </proc/uptime); echo $(($1 * 100 + 1$2 - 100)); }
worst=0; begin=$(now); refused=0; end=$((begin + 60000))
while [ $(now) -lt $end ]; do
	if [ $refused = 0 ] && [ "$(cg get $G memory.kmem.failcnt)" != 0 ]; then
		refused=$(now); end=$((refused + seconds * 100))
	fi
	a=$(now); ls / >/dev/null || echo "ls failed"; b=$(now)
	[ $((b - a)) -gt $worst ] && worst=$((b - a))
	sleep 0.2
done
echo "worst $worst"
echo "refused after $(((refused - begin) * 10)) ms"
echo "tasks $(cg get $G cgroup.procs | wc -l)"
echo "failcnt $(cg get $G memory.kmem.failcnt)"
echo "usage $(usage)"
cg kill $G
i=0; while [ -n "$(cg get $G cgroup.procs)" ] && [ $i -lt 600 ]; do sleep 0.1; i=$((i + 1)); done
sort /tmp/err | sed 's/line [0-9]*: //;s/.*seed.sh: //' | uniq -c | sort -rn | head -n 6 | sed 's/^/err /'
cat /tmp/out
rmdeep /tmp/seed >/dev/null
rm /tmp/seed.sh /tmp/out /tmp/err
i=0; while cg set $G memory.force_empty 1; [ "$(usage)" != 0 ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
echo "end $(usage)"
[ "$(usage)" = 0 ] || cg slabinfo $G | awk 'NR < 3 || $2 > 0'
cg rm $G && echo removed
cg audit
"""

LOOP = "while true; do mkdir x; cd x; done"
LOOP_P = "while true; do mkdir x; cd -P x; done"
BOMB = "bomb() { bomb | bomb & }; bomb"


def seed(run, tmp_path, loop, limit, seconds):
    path = tmp_path / "seed-run"
    path.write_text("#!/bin/sh" + SCRIPT)
    path.chmod(0o755)
    result = run(["/seed-run", limit, seconds, loop], add=[(path, "/seed-run")],
                 timeout=3600, options=["--icount"])
    values = {name: int(value) for name, value in
              re.findall(r"^(start|worst|tasks|failcnt|usage|end) (\d+)$", result.text, re.M)}
    assert values["start"] == 0 and values["end"] == 0, str(result)
    assert values["failcnt"] > 0, str(result)
    assert values["worst"] <= 100, str(result)
    assert "ls failed" not in result.text and "removed" in result.text, str(result)
    assert "clean" in result.text, str(result)
    return values, result


# Beyond depth 2043 a path is longer than PATH_MAX; `cd -P` goes on, but glibc's getcwd() climbs the
# tree by openat("..") then, at each step. A limit of 16M would take some 10^13 instructions.
@pytest.mark.parametrize("loop, limit, seconds", [
    (LOOP, "512K", 5), (LOOP_P, "512K", 5),
    pytest.param(LOOP_P, "1400K", 5, marks=pytest.mark.slow)], ids=["cd", "cd-P", "cd-P-deep"])
def test_mkdir_loop(run, tmp_path, loop, limit, seconds):
    values, result = seed(run, tmp_path, loop, limit, seconds)
    assert "Cannot allocate memory" in result.text, str(result)
    assert values["tasks"] >= 1 or re.search("^alive$", result.text, re.M), str(result)


def test_fork_bomb(run, tmp_path):
    _, result = seed(run, tmp_path, BOMB, "16M", 3)
    assert re.search(r"can't fork: (Cannot allocate memory|Resource temporarily)",
                     result.text), str(result)
