# Completion of groat for bash. To load it, add to ~/.bashrc:
#     source <(groat completion bash)
_groat() {
    local line word
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :command:*)
                if declare -F _command_offset >/dev/null; then
                    _command_offset "${line#:command:}"
                elif [ "$COMP_CWORD" -eq "${line#:command:}" ]; then
                    mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
                else
                    compopt -o default
                fi
                return
                ;;
            :files)
                compopt -o default
                return
                ;;
            *)
                printf -v word %q "${line%%$'\t'*}"
                COMPREPLY+=("$word")
                ;;
        esac
    done < <("${COMP_WORDS[0]}" __complete --shell bash -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [ "${#COMPREPLY[@]}" -eq 1 ] && [[ ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi
}
complete -F _groat groat
