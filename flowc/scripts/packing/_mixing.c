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

/* Open addressing; `key` is one more than the key, 0 where there is none. */
typedef struct {
    uint64_t key;
    int32_t first, second;
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

/* The entry of a key, which is put in with these values where it is not there; NULL without memory. Holds until the
 * next call. */
static Entry *
found_in(Table *table, uint64_t key, int64_t first, int64_t second)
{
    Entry *found = place_of(table, key);
    if (found->key != 0) {
        return found;
    }
    if (table->used * 2 > table->mask) {
        Table larger;
        if (!table_of(&larger, (table->mask + 1) * 2)) {
            return NULL;
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
    found->first = (int32_t)first;
    found->second = (int32_t)second;
    table->used++;
    return found;
}

/* As Python divides: to the integer below. */
static int64_t
divided(int64_t number, int64_t by)
{
    int64_t times = number / by;
    return number % by < 0 ? times - 1 : times;
}

static int64_t
shifted(int64_t number, int by)
{
    return divided(number, (int64_t)1 << by);
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

/* Writes for each bit how likely a one seemed, two bytes each. 0 without memory. */
static int
predict(const unsigned char *plain, size_t size, const Numbers *n, uint16_t *out)
{
    Table rows[CONTEXTS], states[CONTEXTS], words = {0};
    int64_t (*by_beginning)[CONTEXTS] = malloc(256 * sizeof *by_beginning);
    int64_t (*by_last)[CONTEXTS] = malloc(257 * sizeof *by_last);
    int64_t *stretch = malloc((size_t)n->one * sizeof *stretch);
    int good = by_beginning && by_last && stretch && table_of(&words, 1024);
    memset(rows, 0, sizeof rows);
    memset(states, 0, sizeof states);
    for (int each = 0; good && each < CONTEXTS; each++) {
        good = table_of(&rows[each], 256) && table_of(&states[each], 4096);
    }
    if (good) {
        for (int at = 0; at < 257; at++) {
            for (int each = 0; each < CONTEXTS; each++) {
                if (at < 256) {
                    by_beginning[at][each] = n->weight;
                }
                by_last[at][each] = n->weight;
            }
        }
        for (int64_t likely = -n->sure; likely <= n->sure; likely++) {
            stretch[likely + n->half] = (int64_t)(atanh((double)likely / (double)n->half) * (double)n->unit);
        }
    }
    uint64_t word = 0, next_word = 1;
    for (size_t place = 0; good && place < size; place++) {
        if (place > 0 && is_letter_or_digit(plain[place - 1])) {
            Entry *longer = found_in(&words, word << 8 | plain[place - 1], (int64_t)next_word, 0);
            if (!(good = longer != NULL)) {
                break;
            }
            word = (uint64_t)longer->first;
            next_word = word == next_word ? next_word + 1 : next_word;
        } else {
            word = 0;
        }
        uint64_t keys[CONTEXTS] = {
            0, word, last_bytes(plain, place, 1),
            place > 1 ? last_bytes(plain, place - 1, 1) : 0, last_bytes(plain, place, 2), last_bytes(plain, place, 3),
            last_bytes(plain, place, 4), last_bytes(plain, place, 7), shape_of(plain, place)};
        uint64_t row[CONTEXTS];
        for (int each = 0; good && each < CONTEXTS; each++) {
            Entry *found = found_in(&rows[each], keys[each], (int64_t)rows[each].used, 0);
            if ((good = found != NULL)) {
                row[each] = (uint64_t)found->first;
            }
        }
        int64_t *second = by_last[place > 0 ? plain[place - 1] : 256];
        unsigned beginning = 1;
        for (int shift = 7; good && shift >= 0; shift--) {
            int bit = plain[place] >> shift & 1;
            int64_t *first = by_beginning[beginning], inputs[CONTEXTS], total = 0;
            Entry *here[CONTEXTS]; /* each of another table, so all hold */
            for (int each = 0; good && each < CONTEXTS; each++) {
                here[each] = found_in(&states[each], row[each] << 8 | beginning, 0, n->divisor);
                if ((good = here[each] != NULL)) {
                    inputs[each] = stretch[here[each]->first + n->half];
                    total += inputs[each] * (first[each] + second[each]);
                }
            }
            if (!good) {
                break;
            }
            double weighed = (double)shifted(total, 16) / (double)n->evidence;
            int64_t ones = (int64_t)(tanh(weighed) * ((double)n->sure + 0.5)) + n->half;
            *out++ = (uint16_t)ones;
            int64_t error = bit * n->one - ones, goal = bit ? n->sure : -n->sure;
            for (int each = 0; each < CONTEXTS; each++) {
                int64_t likely = here[each]->first, divisor = here[each]->second;
                int64_t learnt = shifted(inputs[each] * error, (int)n->learning), step = likely * error;
                first[each] += learnt;
                second[each] += learnt;
                step = step > n->surprised ? step : n->surprised;
                step = divisor < step ? divisor : step;
                here[each]->first = (int32_t)(likely + divided((goal - likely) * 3, step));
                here[each]->second = (int32_t)(step + 3);
            }
            beginning = beginning * 2 + (unsigned)bit;
        }
    }
    for (int each = 0; each < CONTEXTS; each++) {
        free(rows[each].entries);
        free(states[each].entries);
    }
    free(words.entries);
    free(by_beginning);
    free(by_last);
    free(stretch);
    return good;
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
    if (!predict((const unsigned char *)plain, (size_t)size, &n, (uint16_t *)(void *)PyBytes_AsString(found))) {
        Py_DECREF(found);
        return PyErr_NoMemory();
    }
    return found;
}

static PyMethodDef methods[] = {
    {"likelihoods", likelihoods, METH_VARARGS, "How likely a one seemed at each bit, an unsigned short each."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_mixing", NULL, 0, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC
PyInit__mixing(void)
{
    return PyModule_Create(&module);
}
