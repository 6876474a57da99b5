#compdef groat
# Completion of groat for zsh. To load it, add to ~/.zshrc after compinit:
#     source <(groat completion zsh)
# or put it into a file _groat in a directory of $fpath.
_groat() {
    local line value
    local -a candidates
    while IFS= read -r line; do
        case $line in
            :command:*)
                shift ${line#:command:} words
                (( CURRENT -= ${line#:command:} ))
                _normal
                return
                ;;
            :files)
                _files
                return
                ;;
            *$'\t'*)
                value=${line%%$'\t'*}
                candidates+=("${value//:/\\:}:${line#*$'\t'}")
                ;;
            ?*)
                candidates+=("${line//:/\\:}")
                ;;
        esac
    done < <("${(Q)words[1]}" __complete --shell zsh -- "${(Q@)words[2,CURRENT]}" 2>/dev/null)
    _describe -t groat groat candidates
}
if [ "$funcstack[1]" = "_groat" ]; then
    _groat "$@"
else
    compdef _groat groat
fi
