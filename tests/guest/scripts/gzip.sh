# Compression: round trips and damage.
seq 1 20000 >f; for t in gzip bzip2 xz; do case $t in xz) continue;; esac; $t -c f >f.z 2>/dev/null || continue; $t -dc f.z | cmp - f && echo $t; done
gzip f; ls; gunzip f.gz; ls; head -c 100 f.z | gzip -dc >/dev/null 2>&1; echo $?; gzip -c f | zcat | md5sum; echo x | gzip | gunzip; uuencode f f | uudecode -o g 2>/dev/null; cmp f g && echo uu
base64 <f | base64 -d | cmp - f && echo base64; crc32 f 2>/dev/null | wc -w; printf 'a\r\n' | dos2unix | od -c
