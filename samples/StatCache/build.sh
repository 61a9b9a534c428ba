#!/bin/sh
# A build of many short processes, in the current directory: 40 C files, which include system headers, and a program.
set -eu
for number in $(seq 1 40); do
    printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <math.h>\nint part%s(void) { return (int) strlen("%s") + %s; }\n' \
        "$number" "$number" "$number" > "part$number.c"
done
for number in $(seq 1 40); do
    cc -O1 -c "part$number.c" -o "part$number.o" &
    [ $((number % 4)) -ne 0 ] || wait
done
wait
printf '#include <stdio.h>\n' > main.c
seq -f 'int part%g(void);' 1 40 >> main.c
printf 'int main(void) { int sum = 0;\n' >> main.c
seq -f 'sum += part%g();' 1 40 >> main.c
printf 'printf("%%d\\n", sum); return 0; }\n' >> main.c
cc -O1 main.c part*.o -o program
./program
