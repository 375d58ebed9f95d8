/* nets.c - network namespaces of a test. */

#include "tests/chaos/nets.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dagwood.h"

static int s_home = -1, s_nets[NETS_MAX + 1]; /* descriptors, the hub first */
static uint32_t s_count;                      /* of nets, without the hub */

/* ---- Commands --------------------------------------------------------------------------------- */

void nets_enter (uint32_t net) {
    if (setns (net == NETS_HOME ? s_home : s_nets[net], CLONE_NEWNET)) {
        perror ("setns");
        exit (1);
    }
}

static bool s_run (uint32_t net, const char *format, ...) DW_PRINTF (2, 3);

static bool s_run (uint32_t net, const char *format, ...) {
    char command[512];
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (command, sizeof command, format, arguments);
    va_end (arguments);
    nets_enter (net);
    int status = system (command);
    nets_enter (NETS_HOME);
    if (status)
        fprintf (stderr, "status %d of %s\n", status, command);
    return status == 0;
}

/* The sum of the numbers that follow a word in what a command prints. */
static uint64_t s_sum (uint32_t net, const char *command, const char *word) {
    char line[512];
    uint64_t sum = 0;
    nets_enter (net);
    FILE *printed = popen (command, "r");
    nets_enter (NETS_HOME);
    while (printed && fgets (line, sizeof line, printed)) {
        const char *at = strstr (line, word);
        if (at)
            sum += strtoull (at + strlen (word), NULL, 10);
    }
    if (printed)
        pclose (printed);
    return sum;
}

/* ---- Made ------------------------------------------------------------------------------------- */

const char *nets_why_not (void) {
    if (geteuid () != 0)
        return "network namespaces need root";
    if (system ("command -v ip nft tc >/dev/null"))
        return "the commands ip, nft and tc are not all there (packages iproute2 and nftables)";
    if (system ("unshare -n true 2>/dev/null"))
        return "this system lets nobody make network namespaces";
    return NULL;
}

const char *nets_file (uint32_t net) {
    static char file[48];
    snprintf (file, sizeof file, "/proc/%d/fd/%d", (int) getpid (), s_nets[net]);
    return file;
}

const char *nets_hub_address (uint32_t net) {
    static char address[24];
    snprintf (address, sizeof address, "10.213.%u.1", (unsigned) net);
    return address;
}

static int s_make (void) {
    if (unshare (CLONE_NEWNET))
        return -1;
    int fd = open ("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    setns (s_home, CLONE_NEWNET);
    return fd;
}

/* What comes in is dropped by chance, and counted; each net drops what comes to it, and the hub
 * what comes from each. */
static bool s_furnish (uint32_t net) {
    return s_run (net, "ip link set lo up && nft 'table inet chaos { counter lost { }; chain in { "
                       "type filter hook input priority 0; }; }'");
}

static bool s_connect (uint32_t net) {
    unsigned n = (unsigned) net;
    return s_run (NETS_HUB, "ip link add to%u type veth peer name hub netns %s", n,
                  nets_file (net)) &&
           s_run (NETS_HUB, "ip addr add 10.213.%u.1/24 dev to%u && ip link set to%u up", n, n,
                  n) &&
           s_run (NETS_HUB,
                  "nft 'table inet chaos { chain from%u { }; }; add rule inet chaos in "
                  "iifname to%u jump from%u'",
                  n, n, n) &&
           s_run (net, "ip addr add 10.213.%u.2/24 dev hub && ip link set hub up", n) &&
           s_run (net, "nft 'table inet chaos { chain from0 { }; }; add rule inet chaos in iifname "
                       "hub jump from0'");
}

bool nets_begin (uint32_t count) {
    s_home = open ("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    for (s_count = 0; s_count <= count; s_count++)
        s_nets[s_count] = -1;
    s_count = count;
    for (uint32_t i = 0; i <= count; i++)
        if ((s_nets[i] = s_make ()) < 0 || !s_furnish (i) || (i > 0 && !s_connect (i)))
            return false;
    return true;
}

void nets_end (void) {
    if (s_home < 0)
        return;
    nets_enter (NETS_HOME);
    for (uint32_t i = 0; i <= s_count; i++)
        if (s_nets[i] >= 0)
            close (s_nets[i]);
    close (s_home);
    s_home = -1;
}

/* ---- Made bad --------------------------------------------------------------------------------- */

static void s_lose (uint32_t net, uint32_t from, unsigned percent) {
    if (percent == 0)
        s_run (net, "nft flush chain inet chaos from%u", (unsigned) from);
    else if (percent >= 100)
        s_run (net, "nft add rule inet chaos from%u counter name lost drop", (unsigned) from);
    else
        s_run (net,
               "nft add rule inet chaos from%u numgen random mod 100 '<' %u counter name lost drop",
               (unsigned) from, percent);
}

void nets_lose (uint32_t net, unsigned ways, unsigned percent) {
    if (ways & NETS_TO_HUB)
        s_lose (NETS_HUB, net, percent);
    if (ways & NETS_FROM_HUB)
        s_lose (net, 0, percent);
}

void nets_slow (uint32_t net, unsigned kbit) {
    const char *format = "tc qdisc add dev %s root tbf rate %ukbit burst 16kb latency 400ms";
    char device[16], command[128];
    snprintf (device, sizeof device, "to%u", (unsigned) net);
    snprintf (command, sizeof command, format, device, kbit);
    s_run (NETS_HUB, "%s", command);
    snprintf (command, sizeof command, format, "hub", kbit);
    s_run (net, "%s", command);
}

uint64_t nets_lost_count (void) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= s_count; i++)
        sum += s_sum (i, "nft list counters", "packets ");
    return sum;
}

uint64_t nets_waited_count (void) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i <= s_count; i++)
        sum += s_sum (i, "tc -s qdisc show", "overlimits ");
    return sum;
}
