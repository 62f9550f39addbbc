# chown and chgrp: by name and number, recursively, links, set-id bits cleared, who may not.
touch f; chmod 6755 f; chown student f; stat -c '%u %g %a' f
chown 12:34 f; stat -c '%u %g' f
chown :student f; stat -c '%u %g' f
ln -s f l; chown -h 7:8 l; stat -c '%u %g' l f
mkdir -p d/e; touch d/e/g; chown -R student:student d; stat -c '%U:%G %n' d d/e d/e/g
touch mine; chown student:student mine; chmod 777 .
su student -c 'chown root mine' 2>&1; su student -c 'chgrp root mine' 2>&1
su student -c 'chgrp student mine && echo own group'
stat -c '%U:%G' mine
chown nobody-at-all f 2>&1
