/* Stands for libpmix.so: the functions that srun calls, by the structures of PMIx 3 to 5 on machines of 64 bits. Tasks talk
   to it by a socket in lines (see pmix_client.py), where those of the true one speak its protocol. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct { char nspace[256]; uint32_t rank; } proc_t;
typedef struct { uint16_t type; union { uint32_t number; uint16_t small; char *text; struct { uint16_t type; size_t size; void *array; } *list; char space[24]; } data; } value_t;
typedef struct { char key[512]; uint32_t flags; value_t value; } info_t;
typedef void (*op_t)(int, void *);
typedef void (*modex_t)(int, const char *, size_t, void *, void (*)(void *), void *);
typedef struct {
    int (*connected)(const proc_t *, void *, op_t, void *);
    int (*finalized)(const proc_t *, void *, op_t, void *);
    int (*abort)(const proc_t *, void *, int, const char *, proc_t *, size_t, op_t, void *);
    int (*fence)(const proc_t *, size_t, const info_t *, size_t, char *, size_t, modex_t, void *);
    int (*want)(const proc_t *, const info_t *, size_t, modex_t, void *);
    void *others[22];
} module_t;
typedef void (*event_t)(size_t, int, const proc_t *, info_t *, size_t, info_t *, size_t, void *, void *);

static module_t *host;
static event_t handler;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char place[108], space[256], facts[65536], gathered[4096];
static uint32_t locals[64];
static int local_count, door, waiting[64], waiting_count;

static void tell(const info_t *rows, size_t count, const char *before) {
    char *end = facts + strlen(facts);
    for (size_t i = 0; i < count; i++) {
        const value_t *value = &rows[i].value;
        if (value->type == 39) {
            tell(value->data.list->array, value->data.list->size, "rank:");
            end = facts + strlen(facts);
            continue;
        }
        end += sprintf(end, "%s%s/%d=", before, rows[i].key, value->type);
        if (value->type == 3 || value->type == 49)
            end += sprintf(end, "%s|", value->data.text);
        else
            end += sprintf(end, "%u|", value->type == 13 ? value->data.small : value->data.number);
    }
}

static void answer(int status, const char *data, size_t size, void *value, void (*release)(void *), void *more) {
    int links[64] = {(int)(intptr_t)value}, count = 1;
    if (!links[0]) {
        /* Whoever is answered may come with the next fence while others are not answered yet. */
        pthread_mutex_lock(&lock);
        count = waiting_count;
        memcpy(links, waiting, sizeof links);
        waiting_count = 0;
        pthread_mutex_unlock(&lock);
    }
    for (int i = 0; i < count; i++)
        dprintf(links[i], "%d %.*s\n", status, (int)size, data);
    (void)release; (void)more;
}

static void done(int status, void *value) { dprintf((int)(intptr_t)value, "%d\n", status); }

static void *talk(void *value) {
    int link = (int)(intptr_t)value;
    FILE *lines = fdopen(link, "r");
    char line[512], word[32], rest[256];
    proc_t self;
    int left = 0;
    memset(&self, 0, sizeof self);
    strcpy(self.nspace, space);
    while (fgets(line, sizeof line, lines)) {
        rest[0] = 0;
        sscanf(line, "%31s %255[^\n]", word, rest);
        pthread_mutex_lock(&lock);
        if (!strcmp(word, "init")) {
            self.rank = atoi(rest);
            dprintf(link, "%d\n", host->connected(&self, NULL, NULL, NULL));
        } else if (!strcmp(word, "facts")) {
            dprintf(link, "%s\n", facts);
        } else if (!strcmp(word, "late")) {
            /* The end of this one is not noticed in time. */
            left = 1;
            dprintf(link, "0\n");
        } else if (!strcmp(word, "bye")) {
            left = 1;
            host->finalized(&self, NULL, done, value);
        } else if (!strcmp(word, "abort")) {
            host->abort(&self, NULL, atoi(rest), "", NULL, 0, done, value);
        } else if (!strcmp(word, "want")) {
            proc_t other = self;
            other.rank = atoi(rest);
            host->want(&other, NULL, 0, answer, value);
        } else {
            /* fence * DATA or fence 0,2 DATA */
            proc_t some[64];
            size_t count = 0;
            int mine = 0;
            char *data = strchr(rest, ' ') + 1;
            memset(some, 0, sizeof some);
            if (rest[0] == '*') {
                strcpy(some[0].nspace, space);
                some[count++].rank = UINT32_MAX - 1;
                mine = local_count;
            } else
                for (char *at = rest; at < data; at = strchr(at, ',') && strchr(at, ',') < data ? strchr(at, ',') + 1 : data) {
                    strcpy(some[count].nspace, space);
                    some[count].rank = atoi(at);
                    for (int i = 0; i < local_count; i++)
                        mine += locals[i] == some[count].rank;
                    count++;
                }
            strcat(gathered, data);
            waiting[waiting_count++] = link;
            if (waiting_count == mine) {
                char *copy = strdup(gathered);
                gathered[0] = 0;
                host->fence(some, count, NULL, 0, copy, strlen(copy), answer, NULL);
            }
        }
        pthread_mutex_unlock(&lock);
    }
    if (!left)
        handler(1, -61, &self, NULL, 0, NULL, 0, NULL, NULL);
    return NULL;
}

static void *take(void *value) {
    pthread_t thread;
    for (;;) {
        int link = accept(door, NULL, NULL);
        pthread_create(&thread, NULL, talk, (void *)(intptr_t)link);
    }
    return value;
}

int PMIx_server_init(module_t *module, info_t *rows, size_t count) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    pthread_t thread;
    if (getenv("PMIX_FAKE_FAILS"))
        return -1;
    host = module;
    tell(rows, count, "");
    snprintf(place, sizeof place, "%s/door", rows[0].value.data.text);
    strcpy(address.sun_path, place);
    door = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(door, (void *)&address, sizeof address) || listen(door, 64))
        return -2;
    return pthread_create(&thread, NULL, take, NULL);
}

void PMIx_Register_event_handler(int *codes, size_t count, info_t *rows, size_t size, event_t function, void *done, void *value) {
    (void)codes; (void)count; (void)rows; (void)size; (void)done; (void)value;
    handler = function;
}

static int same(const char *before, const char *text, char **found) {
    *found = malloc(strlen(text) + 9);
    sprintf(*found, "%s(%s)", before, text);
    return 0;
}
int PMIx_generate_regex(const char *text, char **found) { return same("nodes", text, found); }
int PMIx_generate_ppn(const char *text, char **found) { return same("ranks", text, found); }

int PMIx_server_register_nspace(const char *name, int count, info_t *rows, size_t size, op_t function, void *value) {
    (void)count; (void)function; (void)value;
    strcpy(space, name);
    tell(rows, size, "");
    return 0;
}

int PMIx_server_register_client(const proc_t *process, uid_t uid, gid_t gid, void *thing, op_t function, void *value) {
    (void)uid; (void)gid; (void)thing; (void)function; (void)value;
    if (strcmp(process->nspace, space))
        return -1;
    locals[local_count++] = process->rank;
    return 0;
}

int PMIx_server_setup_fork(const proc_t *process, char ***found) {
    *found = calloc(3, sizeof(char *));
    (*found)[0] = malloc(300);
    (*found)[1] = malloc(300);
    sprintf((*found)[0], "PMIX_RANK=%u", process->rank);
    sprintf((*found)[1], "PMIX_DOOR=%s", place);
    return 0;
}

int PMIx_server_dmodex_request(const proc_t *process, void (*function)(int, char *, size_t, void *), void *value) {
    char text[32];
    sprintf(text, "of %u on %s", process->rank, host ? "its node" : "none");
    function(0, text, strlen(text), value);
    return 0;
}
