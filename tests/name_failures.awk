# One line, "failed: program: test: message", for each failed test in what a test program printed (TAP of busted, or
# cmocka), or one with its exit status when it names none.
#
#   awk -v program=NAME -v status=EXIT -f tests/name_failures.awk LOG

function tell() {
  if (test != "") {
    print "failed: " program ": " test (message != "" ? ": " substr(message, 1, 400) : "")
    told++
  }
  test = message = ""
}

/^not ok / { # not ok NUMBER - NAME
  tell()
  test = substr($0, index($0, " - ") + 3)
  next
}

/^# Failure message: / {
  message = substr($0, length("# Failure message: ") + 1)
  in_message = 1
  next
}

/^# stack traceback/ { in_message = 0 }

in_message && /^# / {
  message = message " | " substr($0, 3)
  next
}

{ in_message = 0 }

/^\[  ERROR   \] --- |^\[   LINE   \] --- / {
  message = message (message != "" ? " | " : "") substr($0, length("[  ERROR   ] --- ") + 1)
}

/^\[  FAILED  \] [A-Za-z_0-9]+$/ && !seen[$NF]++ { # named where it ran, and again in the summary
  test = $NF
  tell()
}

END {
  tell()
  if (!told) print "failed: " program ": exit status " status
}
