/* `predictions` of mixing.py, some hundred times as fast: the same numbers, in the same integers.
 *
 * Optional: where there is no compiler mixing.py counts by itself. Its docstrings say what is done here.
 */

#define Py_LIMITED_API 0x030B0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CONTEXTS 9

/* The constants of mixing.py, which hands them over. */
typedef struct {
    long long one, half, unit, evidence, sure, divisor, surprised, weight, learning;
} Numbers;

/* What a context remembers for one beginning of a byte: how likely a one is, and by how much the divisor of its next
 * step is more than that of its first. So memory of zeros is one that knows nothing. */
typedef struct {
    int32_t likely, seen;
} State;

/* The states for the beginnings of half a byte, which are 1 to 15. What a context has seen of bytes mostly is one byte,
 * so a block for the upper half and one for each lower half are less than a place for each beginning. In the blocks of
 * upper halves, place 0 holds the half that was met last (`likely`) and the block of what follows it (`seen`). */
typedef State Block[16];

/* Open addressing; `key` is one more than the key, 0 where there is none. */
typedef struct {
    uint64_t key;
    int32_t number;
} Entry;

typedef struct {
    Entry *entries;
    size_t mask, used;
} Table;

static int
table_of(Table *table, size_t size)
{
    table->entries = calloc(size, sizeof *table->entries);
    table->mask = size - 1;
    table->used = 0;
    return table->entries != NULL;
}

static Entry *
place_of(const Table *table, uint64_t key)
{
    uint64_t hash = (key + 1) * 0x9E3779B97F4A7C15u;
    size_t at = (size_t)(hash >> 32) & table->mask;
    while (table->entries[at].key != 0 && table->entries[at].key != key + 1) {
        at = (at + 1) & table->mask;
    }
    return &table->entries[at];
}

/* The number of a key: `*next`, which then is one more, where the key is not there yet. Below 0 without memory. */
static int32_t
number_of(Table *table, uint64_t key, int32_t *next)
{
    Entry *found = place_of(table, key);
    if (found->key != 0) {
        return found->number;
    }
    if (table->used * 2 > table->mask) {
        Table larger;
        if (!table_of(&larger, (table->mask + 1) * 2)) {
            return -1;
        }
        for (size_t old = 0; old <= table->mask; old++) {
            if (table->entries[old].key != 0) {
                *place_of(&larger, table->entries[old].key - 1) = table->entries[old];
            }
        }
        larger.used = table->used;
        free(table->entries);
        *table = larger;
        found = place_of(table, key);
    }
    found->key = key + 1;
    found->number = (*next)++;
    table->used++;
    return found->number;
}

/* As Python shifts: to the integer below. */
static int64_t
shifted(int64_t number, int by)
{
    return number < 0 ? ~(~number >> by) : number >> by;
}

/* As Python divides: to the integer below. `by` is above 0. */
static int32_t
divided(int32_t number, int32_t by)
{
    int32_t times = number / by;
    return times - (number % by < 0);
}

static uint64_t
last_bytes(const unsigned char *plain, size_t place, size_t count)
{
    uint64_t key = 0;
    size_t from = place > count ? place - count : 0;
    for (size_t at = from; at < place; at++) {
        key = key << 8 | plain[at];
    }
    /* Bytes at the beginning of the text are fewer, and are not those of another place with zeros before them. */
    return key | (uint64_t)(place - from) << 56;
}

static int
is_letter_or_digit(unsigned char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

static uint64_t
shape_of(const unsigned char *plain, size_t place)
{
    uint64_t key = 0;
    size_t from = place > 4 ? place - 4 : 0;
    for (size_t at = from; at < place; at++) {
        key = key << 8 | (is_letter_or_digit(plain[at]) || plain[at] == '_' ? 'a' : plain[at]);
    }
    return key | (uint64_t)(place - from) << 56;
}

typedef struct {
    Table uppers[CONTEXTS], lowers[CONTEXTS], words;
    Block *blocks;
    size_t held;
    int32_t used;
    int64_t by_beginning[256][CONTEXTS], by_last[257][CONTEXTS];
} Memory;

/* The two functions of real numbers, for all arguments that there are, and what they were made with. */
static struct {
    Numbers numbers;
    int32_t *stretch;
    uint16_t *squash;
} tables;

/* Evidence of so many units is as sure as can be. */
#define SUREST 8

/* As Python cuts a number: to the integer nearer to zero. So both functions are odd, and half of them is worked out. */
static int
make_tables(const Numbers *n)
{
    if (tables.stretch != NULL && memcmp(&tables.numbers, n, sizeof *n) == 0) {
        return 1;
    }
    int64_t surest = SUREST * n->evidence;
    free(tables.stretch);
    free(tables.squash);
    tables.numbers = *n;
    tables.stretch = malloc((size_t)n->one * sizeof *tables.stretch);
    tables.squash = malloc((size_t)(2 * surest + 1) * sizeof *tables.squash);
    if (tables.stretch == NULL || tables.squash == NULL) {
        free(tables.stretch);
        free(tables.squash);
        tables.stretch = NULL;
        tables.squash = NULL;
        return 0;
    }
    for (int64_t likely = 0; likely <= n->sure; likely++) {
        int32_t stretched = (int32_t)(atanh((double)likely / (double)n->half) * (double)n->unit);
        tables.stretch[n->half + likely] = stretched;
        tables.stretch[n->half - likely] = -stretched;
    }
    for (int64_t evidence = 0; evidence <= surest; evidence++) {
        int32_t squashed = (int32_t)(tanh((double)evidence / (double)n->evidence) * ((double)n->sure + 0.5));
        tables.squash[surest + evidence] = (uint16_t)(n->half + squashed);
        tables.squash[surest - evidence] = (uint16_t)(n->half - squashed);
    }
    return 1;
}

/* Makes room for the blocks that the next byte may meet: of each context at most two. 0 without memory. */
static int
room_for_a_byte(Memory *memory)
{
    if ((size_t)memory->used + 2 * CONTEXTS <= memory->held) {
        return 1;
    }
    size_t held = memory->held * 2 + 1024;
    Block *larger = realloc(memory->blocks, held * sizeof *larger);
    if (larger == NULL) {
        return 0;
    }
    memset(larger + memory->held, 0, (held - memory->held) * sizeof *larger);
    memory->blocks = larger;
    memory->held = held;
    return 1;
}

static int
prepare(Memory *memory, const Numbers *n)
{
    int good = make_tables(n) && table_of(&memory->words, 1024);
    for (int each = 0; good && each < CONTEXTS; each++) {
        good = table_of(&memory->uppers[each], 1024) && table_of(&memory->lowers[each], 1024);
    }
    for (int at = 0; good && at < 257; at++) {
        for (int each = 0; each < CONTEXTS; each++) {
            memory->by_last[at][each] = n->weight;
            if (at < 256) {
                memory->by_beginning[at][each] = n->weight;
            }
        }
    }
    return good;
}

static void
release(Memory *memory)
{
    for (int each = 0; each < CONTEXTS; each++) {
        free(memory->uppers[each].entries);
        free(memory->lowers[each].entries);
    }
    free(memory->words.entries);
    free(memory->blocks);
    free(memory);
}

/* The block of what follows the upper half of a byte, 1 to 16. Below 0 without memory. */
static int32_t
lower_block(Memory *memory, int each, int32_t upper, int half)
{
    State *last = &memory->blocks[upper][0];
    if (last->likely != half) {
        int32_t found = number_of(&memory->lowers[each], (uint64_t)upper << 5 | (uint64_t)half, &memory->used);
        if (found < 0) {
            return found;
        }
        last->likely = half;
        last->seen = found;
    }
    return last->seen;
}

/* Writes for each bit how likely a one seemed, two bytes each. 0 without memory. */
static int
predict(Memory *memory, const unsigned char *plain, size_t size, const Numbers *n, uint16_t *out)
{
    const int64_t surest = SUREST * n->evidence;
    const int32_t *stretch = tables.stretch + n->half;
    const uint16_t *squash = tables.squash + surest;
    int32_t word = 0, next_word = 1;
    for (size_t place = 0; place < size; place++) {
        if (place > 0 && is_letter_or_digit(plain[place - 1])) {
            word = number_of(&memory->words, (uint64_t)word << 8 | plain[place - 1], &next_word);
            if (word < 0) {
                return 0;
            }
        } else {
            word = 0;
        }
        uint64_t keys[CONTEXTS] = {
            0, (uint64_t)word, last_bytes(plain, place, 1),
            place > 1 ? last_bytes(plain, place - 1, 1) : 0, last_bytes(plain, place, 2), last_bytes(plain, place, 3),
            last_bytes(plain, place, 4), last_bytes(plain, place, 7), shape_of(plain, place)};
        if (!room_for_a_byte(memory)) {
            return 0;
        }
        int32_t uppers[CONTEXTS];
        int64_t *second = memory->by_last[place > 0 ? plain[place - 1] : 256];
        State *states[CONTEXTS];
        for (int each = 0; each < CONTEXTS; each++) {
            uppers[each] = number_of(&memory->uppers[each], keys[each], &memory->used);
            if (uppers[each] < 0) {
                return 0;
            }
            states[each] = memory->blocks[uppers[each]];
        }
        unsigned beginning = 1, in_half = 1;
        for (int shift = 7; shift >= 0; shift--) {
            if (shift == 3) {
                for (int each = 0; each < CONTEXTS; each++) {
                    int32_t lower = lower_block(memory, each, uppers[each], (int)(in_half - 15));
                    if (lower < 0) {
                        return 0;
                    }
                    states[each] = memory->blocks[lower];
                }
                in_half = 1;
            }
            int bit = plain[place] >> shift & 1;
            int64_t *first = memory->by_beginning[beginning], inputs[CONTEXTS], total = 0;
            for (int each = 0; each < CONTEXTS; each++) {
                inputs[each] = stretch[states[each][in_half].likely];
                total += inputs[each] * (first[each] + second[each]);
            }
            int64_t weighed = shifted(total, 16);
            int32_t ones = squash[weighed < -surest ? -surest : weighed > surest ? surest : weighed];
            *out++ = (uint16_t)ones;
            int32_t error = bit * (int32_t)n->one - ones, goal = bit ? (int32_t)n->sure : -(int32_t)n->sure;
            for (int each = 0; each < CONTEXTS; each++) {
                State *here = &states[each][in_half];
                int64_t learnt = shifted(inputs[each] * error, (int)n->learning), step = (int64_t)here->likely * error;
                int32_t divisor = here->seen + (int32_t)n->divisor;
                first[each] += learnt;
                second[each] += learnt;
                step = step > n->surprised ? step : n->surprised;
                divisor = divisor < step ? divisor : (int32_t)step;
                here->likely += divided((goal - here->likely) * 3, divisor);
                here->seen = divisor + 3 - (int32_t)n->divisor;
            }
            beginning = beginning * 2 + (unsigned)bit;
            in_half = in_half * 2 + (unsigned)bit;
        }
    }
    return 1;
}

static PyObject *
likelihoods(PyObject *self, PyObject *args)
{
    const char *plain;
    Py_ssize_t size;
    Numbers n;
    (void)self;
    if (!PyArg_ParseTuple(args, "y#LLLLLLLLL", &plain, &size, &n.one, &n.half, &n.unit, &n.evidence, &n.sure,
                          &n.divisor, &n.surprised, &n.weight, &n.learning)) {
        return NULL;
    }
    PyObject *found = PyBytes_FromStringAndSize(NULL, size * 16);
    if (found == NULL) {
        return NULL;
    }
    const unsigned char *text = (const unsigned char *)plain;
    Memory *memory = calloc(1, sizeof *memory);
    int good = memory != NULL && prepare(memory, &n) &&
               predict(memory, text, (size_t)size, &n, (uint16_t *)(void *)PyBytes_AsString(found));
    if (memory != NULL) {
        release(memory);
    }
    if (!good) {
        Py_DECREF(found);
        return PyErr_NoMemory();
    }
    return found;
}

static PyObject *
information(PyObject *self, PyObject *args)
{
    const char *plain, *likely;
    Py_ssize_t size, count, bits;
    long long one;
    (void)self;
    if (!PyArg_ParseTuple(args, "y#y#nL", &plain, &size, &likely, &count, &bits, &one)) {
        return NULL;
    }
    if (bits < 0 || bits > size * 8 || bits > count / 2) {
        PyErr_SetString(PyExc_ValueError, "more bits than there are");
        return NULL;
    }
    double found = 0;
    for (Py_ssize_t at = 0; at < bits; at++) {
        uint16_t ones;
        memcpy(&ones, likely + 2 * at, sizeof ones);
        found += 16 - log2((double)((unsigned char)plain[at >> 3] >> (7 - (at & 7)) & 1 ? ones : one - ones));
    }
    return PyFloat_FromDouble(found);
}

static PyMethodDef methods[] = {
    {"likelihoods", likelihoods, METH_VARARGS, "How likely a one seemed at each bit, an unsigned short each."},
    {"information", information, METH_VARARGS, "How many bits say the first bits of a text that seemed so likely."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_mixing", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__mixing(void)
{
    return PyModule_Create(&module);
}
