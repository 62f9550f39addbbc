# rm: trees, directories refused, write-protected directories, dots, names with a dash.
mkdir -p t/a/b; touch t/1 t/a/2 t/a/b/3; rm t 2>&1; rm -r t; ls; rm nowhere 2>&1; rm -f nowhere; echo $?
touch -- -x; rm -x 2>/dev/null; rm -- -x; ls; mkdir p; touch p/f; chmod 555 p; su student -c 'rm -f p/f' 2>&1; rm -r p
rm -r . 2>&1; rm -rf ..  2>&1; mkdir q; ln -s q l; rm -r l; ls; touch f; unlink f; unlink q 2>&1; unlink f 2>&1; rm f/ 2>&1
mkdir s; touch s/f; chown -R student s; chmod 500 s; su student -c 'rm s/f' 2>&1; su student -c 'chmod 700 s; rm -r s/f && echo own'
