#!/usr/bin/env bash
# The console behind nginx, as share/nginx/vestige.conf has it: whoever signs in there is the user here, whatever the browser says; a
# page of another place writes nothing; a live tail comes through while it is written.
# labels: slow matrix
set -euo pipefail
command -v nginx >/dev/null || { echo "no nginx" >&2; exit 77; }
fail() { echo "console behind nginx: $*" >&2; exit 1; }
work=$(mktemp -d)
server="" proxy="" tail=""
trap 'kill $tail $proxy $server 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
export VESTIGE_DB=$work/shop.db
python3 -c "import sqlite3; sqlite3.connect('shop.db').executescript('create table p (id integer primary key, name text)')"
"${VESTIGE:?}" init 2>/dev/null && "$VESTIGE" track p 2>/dev/null
"$VESTIGE" exec --actor ann "insert into p values (1, 'one')" 2>/dev/null
printf '[console.users]\nann = "reader"\n' >vestige.toml

"$VESTIGE" serve --listen 127.0.0.1:0 --auth header --proxy 127.0.0.1/32 --host audit.example.com 2>serve.log &
server=$!
until grep -q 'the console is at' serve.log; do kill -0 $server || fail "$(cat serve.log)"; sleep 0.05; done
behind=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' serve.log)

openssl req -x509 -newkey rsa:2048 -nodes -keyout console.key -out console.crt -days 2 -subj /CN=audit.example.com \
  -addext subjectAltName=DNS:audit.example.com 2>/dev/null
printf 'ann:%s\nbob:%s\n' "$(openssl passwd -apr1 one)" "$(openssl passwd -apr1 two)" >console.passwd
port=$(python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
sed -e "s|listen 443|listen 127.0.0.1:$port|" -e "s|/etc/vestige|$work|" -e "s|127.0.0.1:8470|127.0.0.1:$behind|" \
  "$SOURCE_DIR/share/nginx/vestige.conf" >site.conf
cat >nginx.conf <<END
$( (($(id -u) == 0)) && echo "user root;")
daemon off; pid $work/pid; error_log $work/error.log;
events {}
http {
  access_log off;
  client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
  uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
  include $work/site.conf;
}
END
nginx -p "$work" -c "$work/nginx.conf" 2>>nginx.log &
proxy=$!
ask() {
  curl -sS --noproxy '*' --cacert console.crt --resolve "audit.example.com:$port:127.0.0.1" "${@:2}" "https://audit.example.com:$port$1"
}
status() { ask "$@" -o answer -w '%{http_code}'; }
until ask / -o /dev/null 2>/dev/null; do kill -0 $proxy || fail "$(cat nginx.log error.log)"; sleep 0.05; done

[[ $(status /api/v1/about) == 401 ]] || fail "somebody whom nobody knows is answered"
[[ $(status /api/v1/about -u ann:two) == 401 ]] || fail "a wrong password is answered"
[[ $(status /api/v1/about -u ann:one) == 200 ]] || fail "ann is not answered: $(cat answer)"
grep -q '"user":"ann"' answer || fail "ann is not ann: $(cat answer)"
[[ $(status /api/v1/changes -u bob:two -H 'X-Forwarded-User: ann') == 403 ]] || fail "bob says that he is ann: $(cat answer)"
[[ $(status /api/v1/changes -u ann:one -H 'X-Forwarded-User: bob') == 200 ]] || fail "ann cannot read: $(cat answer)"
[[ $(status / -u ann:one) == 200 ]] || fail "there is no page"
curl -s --noproxy '*' -o answer -w '%{http_code}' "http://127.0.0.1:$behind/api/v1/changes" | grep -q 401 || fail "it is answered past the proxy"
[[ $(status /api/v1/silences -u ann:one -X POST -d '{}' -H 'Content-Type: application/json' -H 'X-Vestige: 1' \
  -H 'Origin: https://elsewhere.example') == 403 ]] || fail "a page of another place writes: $(cat answer)"

ask /api/v1/events -u ann:one -N >tail.txt 2>tail.log &
tail=$!
until grep -q '"name":"one"' tail.txt; do kill -0 $tail || fail "the tail ended: $(cat tail.txt)"; sleep 0.05; done
"$VESTIGE" exec --actor bob "insert into p values (2, 'two')" 2>/dev/null
until grep -q '"name":"two"' tail.txt; do kill -0 $tail || fail "the tail ended: $(cat tail.txt)"; sleep 0.05; done
echo "the console behind nginx: who signs in there is the user"
