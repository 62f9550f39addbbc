# Globs: stars, sets, hidden names, names with spaces, what matches nothing, directories.
touch a b c ab abc 'x y' .hidden; mkdir -p d/e d/f; touch d/e/1 d/f/2
echo *
echo a*
echo ?
echo [ab]*
echo [!a]
echo .h*
echo none*
echo */
echo d/*/[12]
for f in *\ *; do echo "<$f>"; done
set -f; echo *; set +f
case abc in a*c) echo matched;; esac
echo "*" '*' \*
