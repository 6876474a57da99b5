# fish: copy this to ~/.config/fish/functions/. fish cannot tell the time without
# a program, so that the end is shown, not the time left.
function fish_right_prompt
    if set -q GROAT_PROFILE
        set -l text $GROAT_PROFILE
        if set -l end (string match -r -g 'T(\d\d:\d\d)' -- "$AWS_CREDENTIAL_EXPIRATION")
            set text "$text until $end UTC"
        end
        echo -n "[$text]"
    end
end
