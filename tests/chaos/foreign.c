/* foreign.c - workers in other languages. */

#include "tests/chaos/foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SOURCE DAGWOOD_SOURCE_DIR
#define PYTHON "/usr/bin/python3" /* Debian's, which has Debian's modules */

/* How to see whether there is what it needs, and how its program is made. The processor stands
 * before the example, and in its table; the folder is $FOLDER. */
static const struct {
    const char *interpreter, *program, *check, *make, *why_not;
} s_languages[] = {
    [FOREIGN_PYTHON] = {PYTHON, SOURCE "/tests/chaos/worker.py",
                        PYTHON " -c 'import zmq, msgpack' 2>/dev/null", "true",
                        "no Debian python3 with python3-zmq and python3-msgpack"},
    [FOREIGN_NODE] =
        {"node", "worker.mjs",
         "command -v node >/dev/null && cd \"${DAGWOOD_NODE_MODULES:-" SOURCE
         "/examples/node_modules}\" 2>/dev/null && [ -d zeromq ] && [ -d @msgpack/msgpack ]",
         "ln -sfn \"$(realpath \"${DAGWOOD_NODE_MODULES:-" SOURCE
         "/examples/node_modules}\")\" \"$FOLDER/node_modules\" && { cat " SOURCE
         "/tests/chaos/mix.mjs && sed -e 1d -e 's/^const processors = {/&\\n    mix,/' " SOURCE
         "/examples/worker.mjs; } >\"$FOLDER/worker.mjs\"",
         "no node with its modules zeromq and @msgpack/msgpack (DAGWOOD_NODE_MODULES)"},
    [FOREIGN_RUBY] =
        {"ruby", "worker.rb", "ruby -e 'require \"ffi-rzmq\"; require \"msgpack\"' 2>/dev/null",
         "{ cat " SOURCE
         "/tests/chaos/mix.rb && sed -e 's/^PROCESSORS = {/&\\n  \"mix\" => MIX,/' " SOURCE
         "/examples/worker.rb; } >\"$FOLDER/worker.rb\"",
         "no ruby with ruby-ffi-rzmq and ruby-msgpack"},
};

const char *foreign_prepare (foreign_t language, const char *folder) {
    if (system (s_languages[language].check))
        return s_languages[language].why_not;
    if (setenv ("FOLDER", folder, 1) || system (s_languages[language].make))
        return "its program cannot be put together";
    return NULL;
}

void foreign_become (foreign_t language, const char *folder, const char *endpoint, const char *key,
                     const char *server_key) {
    const char *interpreter = s_languages[language].interpreter;
    const char *program = s_languages[language].program;
    char path[128];
    snprintf (path, sizeof path, "%s%s%s", program[0] == '/' ? "" : folder,
              program[0] == '/' ? "" : "/", program);
    if (key)
        execlp (interpreter, interpreter, path, "--connect", endpoint, "--key", key, "--server-key",
                server_key, (char *) NULL);
    else
        execlp (interpreter, interpreter, path, "--connect", endpoint, (char *) NULL);
}
