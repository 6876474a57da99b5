#!/bin/sh
# Speaks as much of aws-vault's command line as the benchmarks use, with groat
# itself and a second home behind it: so the comparison is run even where no
# other program is. GROAT is groat's path.
unset GROAT_BACKEND
export GROAT_FILE_PASSPHRASE="$AWS_VAULT_FILE_PASSPHRASE" XDG_DATA_HOME="$HOME/peer" XDG_STATE_HOME="$HOME/peer"
case "$1" in
add) exec "$GROAT" --backend file add --env "$3" ;;
export) exec "$GROAT" --backend file credential-process "$3" ;;
exec | clear) command=$1 && shift && exec "$GROAT" --backend file "$command" "$@" ;;
*) echo "peer.sh: unknown command $1" >&2 && exit 2 ;;
esac
