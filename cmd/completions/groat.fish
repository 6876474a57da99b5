# Completion of groat for fish. To install it:
#     mkdir -p ~/.config/fish/completions
#     groat completion fish > ~/.config/fish/completions/groat.fish
function __groat_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete --shell fish -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':command:*'
                set -l first (math (string replace ':command:' '' -- $line) + 1)
                complete -C (string join ' ' -- (string escape -- $words[$first..-2]) $words[-1])
                return
            case ':files'
                __fish_complete_path (commandline -ct)
                return
            case '*'
                echo $line
        end
    end
end
complete -c groat -f -a '(__groat_complete)'
