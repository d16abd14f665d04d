# What debugger.cpp has a debugger do.
set width 0
break make_node if value == 7
break drop_node if n->value == 7
run
backtrace
step
backtrace
continue
step
backtrace
step
