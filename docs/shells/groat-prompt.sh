# shellcheck shell=bash
# For bash and zsh: groat_prompt prints "[profile 42m] " in a shell of groat,
# with the time left of its credentials, and nothing elsewhere. It starts no
# program. In bash before 5.0 there is no time.
#
#   . groat-prompt.sh
#   PS1='$(groat_prompt)'"$PS1"          # bash
#   setopt prompt_subst; PROMPT='$(groat_prompt)'"$PROMPT"   # zsh
if [ -n "$ZSH_VERSION" ]; then zmodload zsh/datetime; fi

groat_text() {
  local s=$AWS_CREDENTIAL_EXPIRATION y m d h n left
  REPLY=${GROAT_PROFILE:-$AWS_VAULT}
  case $REPLY:$s:$EPOCHSECONDS in
  :*) return 1 ;;
  *:????-??-??T??:??:*Z:?*) ;;
  *) return 0 ;;
  esac
  y=${s%%-*} s=${s#*-}
  m=${s%%-*} s=${s#*-}
  d=${s%%T*} s=${s#*T}
  h=${s%%:*} s=${s#*:}
  n=${s%%:*} s=${s#*:}
  s=${s%%[!0-9]*}
  m=${m#0} d=${d#0} h=${h#0} n=${n#0} s=${s#0}
  if [ "$m" -le 2 ]; then y=$((y - 1)) m=$((m + 12)); fi
  # Days since 1970 of the Gregorian calendar, years beginning in March.
  d=$((365 * y + y / 4 - y / 100 + y / 400 + (153 * (m - 3) + 2) / 5 + d - 719469))
  left=$(((((d * 24 + h) * 60 + n) * 60 + s - EPOCHSECONDS) / 60))
  if [ "$left" -le 0 ]; then
    REPLY="$REPLY expired"
  elif [ "$left" -lt 60 ]; then
    REPLY="$REPLY ${left}m"
  else
    REPLY="$REPLY $((left / 60))h$((left % 60))m"
  fi
}

groat_prompt() {
  if groat_text; then printf '[%s] ' "$REPLY"; fi
}
