#!/usr/bin/env bash
# `eval "$(vestige completion zsh)"` completes in a zsh that somebody types into, from the database, and nothing that a name of
# the database says is run.
set -euo pipefail
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
PATH=$(dirname "${VESTIGE:?}"):$PATH
export PATH VESTIGE_DB=$directory/shop.db
sqlite3 "$VESTIGE_DB" "create table products (id integer primary key, price); insert into products values (1, 1)"
vestige init 2>/dev/null
vestige track products 2>/dev/null
vestige exec --actor ann "update products set price = 2" 2>/dev/null
vestige exec --actor 'annabel;touch ran' "update products set price = 3" 2>/dev/null
vestige exec --actor 'annabel$(touch ran)' "update products set price = 4" 2>/dev/null

cat >"$directory/type.zsh" <<'E'
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "cd $1; PS1=; unset zle_bracketed_paste; autoload -U compinit; compinit -u -D; eval \"\$(vestige completion zsh)\"; print rea''dy"
zpty -r shell line '*ready*'
for typed in 'log prod' 'log --actor an' 'log --column pri' 'sta' 'log --form'; do
  zpty -w -n shell "vestige $typed"$'\t'
  zpty -w -n shell $'\C-a'"print -r -- DO''NE "$'\n'  # it is not run, but printed
  zpty -r shell line '*DONE vestige*'$'\n'
  line=${line##*DONE }
  print -r -- ${${line%%$'\r'*}% }
done
E
zsh -f "$directory/type.zsh" "$directory" >"$directory/typed"
diff -u - "$directory/typed" <<'E'
vestige log products
vestige log --actor ann
vestige log --column price
vestige status
vestige log --format
E
[[ ! -e $directory/ran ]]
