# bash completion for vestige; made by `vestige completion bash`.

_vestige() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
  local verb='' options='' words='' tables='' i db=()
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
    --db) db=(--db "${COMP_WORDS[i+1]}"); ((i++)) ;;
    --color) ((i++)) ;;
    -*) ;;
    *) [[ $verb ]] || verb=${COMP_WORDS[i]} ;;
    esac
  done
  case $before in
    --db) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --tz) return ;;
    --color) COMPREPLY=($(compgen -W 'auto always never' -- "$word")); return ;;
    --include) return ;;
    --exclude) return ;;
    --redact) return ;;
    --unredact) return ;;
    --encrypt) return ;;
    --subject) return ;;
    --when) return ;;
    --require) return ;;
    --key) return ;;
    --capture) COMPREPLY=($(compgen -W 'changes full' -- "$word")); return ;;
    --on-truncate) COMPREPLY=($(compgen -W 'rows mark deny' -- "$word")); return ;;
    --retention) return ;;
    --classification) return ;;
    --tags) return ;;
    --lock-timeout) return ;;
    --by|--actor) words=$(vestige "${db[@]}" completion actors 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    --on-behalf-of) return ;;
    --reason) return ;;
    --business-process) return ;;
    --request-id) return ;;
    --session-id) return ;;
    --ip-address) return ;;
    --user-agent) return ;;
    --auth-method) return ;;
    --auth-role) return ;;
    --traceparent) return ;;
    --context) return ;;
    --format) COMPREPLY=($(compgen -W 'table json csv raw-csv' -- "$word")); return ;;
    --listen) return ;;
    --class) return ;;
    --out) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --from) return ;;
    --identity) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --until) return ;;
    --by) words=$(vestige "${db[@]}" completion actors 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    --purpose) return ;;
    --archive) return ;;
    -f|--file) COMPREPLY=($(compgen -f -- "$word")); return ;;
    -q|--query) return ;;
    --since) return ;;
    --db-user) return ;;
    --op) return ;;
    --column) words=$(vestige "${db[@]}" completion columns 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    -S|--appeared) return ;;
    --tx) words=$(vestige "${db[@]}" completion transactions 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    -n|--limit) return ;;
    --after) return ;;
    --consumer) words=$(vestige "${db[@]}" completion consumers 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    --to) words=$(vestige "${db[@]}" completion marks 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    --time) words=$(vestige "${db[@]}" completion marks 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    --change) return ;;
    --kind) return ;;
    --record) COMPREPLY=($(compgen -W 'on off' -- "$word")); return ;;
    --auth) COMPREPLY=($(compgen -W 'none token header' -- "$word")); return ;;
    --tokens) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --proxy) return ;;
    --user-header) return ;;
    --host) return ;;
    --table) words=$(vestige "${db[@]}" completion tables 2>/dev/null)
      COMPREPLY=($(compgen -W "$words" -- "$word")); return ;;
    --matter) return ;;
    --period) return ;;
    --timezone) return ;;
    --section) return ;;
    --vkey) return ;;
    --field) return ;;
    --sample) return ;;
    --seed) return ;;
    --title) return ;;
    --every) COMPREPLY=($(compgen -W 'day week month quarter year' -- "$word")); return ;;
    --verdict) COMPREPLY=($(compgen -W 'in-order exceptions' -- "$word")); return ;;
    --comment) return ;;
    --alerts) return ;;
    --origin) return ;;
    --tiles) return ;;
    --checkpoint) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --policy) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --disclose) return ;;
    --profile) COMPREPLY=($(compgen -W 'entity' -- "$word")); return ;;
    --disclosed) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --before) return ;;
    --manifest) return ;;
    --name) return ;;
    --state) return ;;
    --log) return ;;
    --url) COMPREPLY=($(compgen -f -- "$word")); return ;;
    --rule) return ;;
    --for) return ;;
  esac
  case $verb in
    '') words='init track untrack status doctor metrics keys plan apply log show diff blame field at access serve exec restore revert undo mark erase hold expire ddl report review keygen seal verify prove export check archive tiles witness rules watch alert notify help completion' ;;
    init) options='--native --portable --remove --yes --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    track) options='--all --include --exclude --redact --unredact --encrypt --subject --when --require --key --capture --on-truncate --baseline --retention --classification --tags --lock-timeout --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    untrack) options='--lock-timeout --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    status) options='--format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    doctor) options='--fix --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    metrics) options='--listen --public --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    keys) options='--class --out --from --identity --until --subject --dry-run --by --reason --purpose --format --archive --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    plan) options='-f --file --prune --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    apply) options='-f --file --prune --lock-timeout --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    log) options='-q --query --since --until --actor --db-user --op --column -S --appeared --tx -n --limit --stat -p --patch --oneline --reverse --summary -f --follow --after --consumer --format --archive --purpose --by --identity --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    show) options='--tx --all --format --archive --purpose --by --identity --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    diff) options='--from --to --stat --format --purpose --by --identity --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    blame) options='--column --format --archive --purpose --by --identity --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    field) options='--ascii --format --archive --purpose --by --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    at) options='--time --change -q --query --format --archive --purpose --by --identity --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    access) options='--kind --since --until -n --limit --reverse --record --prepare --actor --reason --format --purpose --by --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    serve) options='--listen --auth --tokens --proxy --user-header --host --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    exec) options='-f --file --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    restore) options='--to -q --query --column --dry-run --patch --force --skip-conflicts --by --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --format --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    revert) options='--tx --change --table --key -q --query --since --until --actor --db-user --op --column -S --appeared --dry-run --patch --force --skip-conflicts --by --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --format --identity --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    undo) options='--yes --dry-run --patch --force --skip-conflicts --by --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    mark) options='--force --delete --format --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    erase) options='--change --tx --column --keys --contexts --archive --dry-run --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --format --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    hold) options='--matter -q --query --everything --two-persons --by --reason --format --purpose --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    expire) options='--dry-run --all --archive --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    ddl) options='-f --file --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    report) options='-q --query --period --since --until --timezone --format --section --out --key --vkey --no-verify --strict --field --subject --dpo --with-staff --sample --seed --title --by --archive --purpose --identity --db --tz --color --no-pager -h --help --version' words='' tables=yes ;;
    review) options='--every --period --since --until -q --query --file --verdict --comment --alerts --by --format --purpose --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    keygen) options='--origin --out --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    seal) options='--key --out --tiles --follow --every --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    verify) options='--checkpoint --vkey --policy --archive --live --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    prove) options='--disclose --purpose --by --identity --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    export) options='--format --profile -q --query --since --until --after -n --limit -f --follow --consumer --origin --checkpoint --purpose --by --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    check) options='--vkey --disclosed --policy --unsigned --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    archive) options='--out --before --vkey --manifest --policy --by --actor --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    tiles) options='--out --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    witness) options='--name --out --key --state --log --listen --url --vkey --tiles --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    rules) options='--since --cost -f --file --format --purpose --by --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    watch) options='--once --backfill -f --file --format --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    alert) options='--state --rule --limit --for --format --by --on-behalf-of --reason --business-process --request-id --session-id --ip-address --user-agent --auth-method --auth-role --traceparent --context --purpose --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    notify) options='-f --file --db --tz --color --no-pager -h --help --version' words='' tables= ;;
    help) options='--markdown --man --db --tz --color --no-pager -h --help --version' words='init track untrack status doctor metrics keys plan apply log show diff blame field at access serve exec restore revert undo mark erase hold expire ddl report review keygen seal verify prove export check archive tiles witness rules watch alert notify help completion' tables= ;;
    completion) options='--db --tz --color --no-pager -h --help --version' words='bash zsh tables columns actors transactions consumers marks' tables= ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    [[ $tables ]] && words=$(vestige "${db[@]}" completion tables 2>/dev/null)
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -o default -F _vestige vestige
