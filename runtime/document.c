/* document.c - see document.h. */

#include "runtime/document.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* libyaml compares every %TAG directive with all others: many are refused before it starts. */
#define TAG_DIRECTIVES_MAX 16

#define NUMBER_MAX 1000 /* bytes of a number in JSON */

/* What may come next in JSON. */
typedef enum { VALUE, FIRST_VALUE, KEY, FIRST_KEY, COMMA, NOTHING } expected_t;

struct dw_document_t {
    const char *file;
    dw_error_t *error;
    const char *text; /* without the byte order mark */
    size_t size;
    bool json;
    unsigned depth;

    /* YAML */
    yaml_parser_t parser;
    yaml_event_t event; /* of the item given last: its text is borrowed */
    bool has_parser, has_document;

    /* JSON */
    size_t at; /* what is not yet read, and its place */
    uint32_t line, column;
    uint32_t maps; /* by depth, the innermost lowest: a bit that says whether it is a map */
    expected_t expected;
    json_t *scalar;              /* the one given last */
    char number[NUMBER_MAX + 1]; /* as it was written */
};

static dw_place_t s_place (const dw_document_t *self, size_t line, size_t column) {
    return (dw_place_t){self->file, (uint32_t) line, (uint32_t) column};
}

/* The place of the byte at offset, for what libyaml refuses before it has places. */
static dw_place_t s_place_of (const dw_document_t *self, size_t offset) {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < offset && i < self->size; i++) {
        bool starts_character = ((unsigned char) self->text[i] & 0xc0) != 0x80;
        column = self->text[i] == '\n' ? 1 : column + starts_character;
        line += self->text[i] == '\n';
    }
    return s_place (self, line, column);
}

static int s_no_memory (const dw_document_t *self) {
    return dw_error_add (self->error, DW_ENOMEM, s_place (self, 0, 0),
                         "out of memory while reading the graph");
}

/* Counts how deep lists and maps are nested. */
static int s_nest (dw_document_t *self, const dw_item_t *item) {
    if (item->type == DW_ITEM_LIST || item->type == DW_ITEM_MAP)
        self->depth++;
    else if (item->type == DW_ITEM_END)
        self->depth--;
    if (self->depth <= DW_DOCUMENT_DEPTH_MAX)
        return DW_OK;
    return dw_error_add (self->error, DW_EGRAPH, s_place (self, item->line, item->column),
                         "lists and mappings are nested deeper than %d: no graph needs that",
                         DW_DOCUMENT_DEPTH_MAX);
}

/* -- YAML ----------------------------------------------------------------------------------- */

/* What libyaml says, and what people should look for. */
static const struct {
    const char *problem, *hint;
} s_hints[] = {
    {"found character that cannot start any token",
     "put the text in quotes, and indent with spaces, not tabs"},
    {"mapping values are not allowed in this context",
     "is the line indented as it should be, and is a text with a colon in quotes?"},
    {"could not find expected ':'", "is a key without its colon, or a quote not closed?"},
    {"did not find expected key", "is the line indented like the keys above it?"},
    {"did not find expected '-' indicator", "is the line indented like the list above it?"},
    {"did not find expected ',' or ']'", "is a list not closed?"},
    {"did not find expected ',' or '}'", "is a mapping not closed?"},
    {"found unexpected end of stream", "is a quote not closed?"},
    {"block sequence entries are not allowed in this context",
     "a list begins on a line of its own"},
    {"did not find expected <document start>", "does the file hold more than one mapping?"},
};

static const char *s_hint (const char *problem) {
    for (size_t i = 0; i < sizeof (s_hints) / sizeof (s_hints[0]); i++)
        if (strcmp (problem, s_hints[i].problem) == 0)
            return s_hints[i].hint;
    return NULL;
}

static int s_yaml_problem (const dw_document_t *self) {
    const yaml_parser_t *parser = &self->parser;
    const char *problem = parser->problem ? parser->problem : "it cannot be read";
    if (parser->error == YAML_MEMORY_ERROR)
        return s_no_memory (self);
    if (parser->error == YAML_READER_ERROR) {
        dw_place_t place = s_place_of (self, parser->problem_offset);
        if (strcmp (problem, "control characters are not allowed") == 0)
            return dw_error_add (
                self->error, DW_EGRAPH, place,
                "the character U+%04X is not allowed in a graph file; is it a text?",
                (unsigned) parser->problem_value);
        return dw_error_add (self->error, DW_EGRAPH, place,
                             "the file is not UTF-8 (%s): save it as UTF-8", problem);
    }
    const char *hint = s_hint (problem);
    return dw_error_add (
        self->error, DW_EGRAPH,
        s_place (self, parser->problem_mark.line + 1, parser->problem_mark.column + 1),
        "this is not YAML: %s%s%s%s%s", problem, parser->context ? " " : "",
        parser->context ? parser->context : "", hint ? "; " : "", hint ? hint : "");
}

static int s_yaml_refuse (const dw_document_t *self, const char *what) {
    const yaml_mark_t *mark = &self->event.start_mark;
    return dw_error_add (self->error, DW_EGRAPH, s_place (self, mark->line + 1, mark->column + 1),
                         "%s", what);
}

static int s_yaml_scalar (dw_document_t *self, dw_item_t *item) {
    if (self->event.data.scalar.tag)
        return s_yaml_refuse (self, "tags (!...) are not supported; put a text in quotes");
    item->type = DW_ITEM_SCALAR;
    item->plain = self->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    item->text = (const char *) self->event.data.scalar.value;
    item->size = self->event.data.scalar.length;
    return DW_OK;
}

/* Whether the event is an item or an error; the others frame the document. */
static bool s_yaml_item (dw_document_t *self, dw_item_t *item, int *err) {
    switch (self->event.type) {
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT: return false;
        case YAML_DOCUMENT_START_EVENT:
            if (!self->has_document) {
                self->has_document = true;
                return false;
            }
            *err = s_yaml_refuse (self, "a second document begins here; a graph file has only one");
            return true;
        case YAML_STREAM_END_EVENT: item->type = DW_ITEM_DONE; return true;
        case YAML_ALIAS_EVENT:
            *err = s_yaml_refuse (self,
                                  "aliases (*...) are not supported; write out what is meant");
            return true;
        case YAML_SCALAR_EVENT: *err = s_yaml_scalar (self, item); return true;
        case YAML_SEQUENCE_START_EVENT:
            item->type = DW_ITEM_LIST;
            if (self->event.data.sequence_start.tag)
                *err = s_yaml_refuse (self, "tags (!...) are not supported; leave it out");
            return true;
        case YAML_MAPPING_START_EVENT:
            item->type = DW_ITEM_MAP;
            if (self->event.data.mapping_start.tag)
                *err = s_yaml_refuse (self, "tags (!...) are not supported; leave it out");
            return true;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT: item->type = DW_ITEM_END; return true;
    }
    return false;
}

static int s_yaml_next (dw_document_t *self, dw_item_t *item) {
    int err = DW_OK;
    do {
        yaml_event_delete (&self->event);
        if (!yaml_parser_parse (&self->parser, &self->event))
            return s_yaml_problem (self);
    } while (!s_yaml_item (self, item, &err));
    item->line = (uint32_t) self->event.start_mark.line + 1;
    item->column = (uint32_t) self->event.start_mark.column + 1;
    return err;
}

/* Lines that could be a %TAG directive are counted wherever they are: those of a second document
 * would be read before it is refused. */
static int s_yaml_count_tags (const dw_document_t *self) {
    const char *at = self->text, *end = at + self->size;
    unsigned tags_count = 0;
    while ((at = memmem (at, (size_t) (end - at), "%TAG", 4))) {
        bool starts_line = at == self->text || at[-1] == '\n' || at[-1] == '\r' || (at[-1] & 0x80);
        tags_count += starts_line;
        if (tags_count > TAG_DIRECTIVES_MAX)
            return dw_error_add (self->error, DW_EGRAPH,
                                 s_place_of (self, (size_t) (at - self->text)),
                                 "tags are not supported; leave the %%TAG lines out");
        at += 4;
    }
    return DW_OK;
}

static int s_yaml_start (dw_document_t *self) {
    int err = s_yaml_count_tags (self);
    if (err)
        return err;
    if (!yaml_parser_initialize (&self->parser))
        return s_no_memory (self);
    self->has_parser = true;
    yaml_parser_set_encoding (&self->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string (&self->parser, (const unsigned char *) self->text, self->size);
    return DW_OK;
}

/* -- JSON ----------------------------------------------------------------------------------- */

static int s_json_problem (const dw_document_t *self, const char *problem) {
    return dw_error_add (self->error, DW_EGRAPH, s_place (self, self->line, self->column),
                         "this is not JSON: %s", problem);
}

/* Takes bytes, which become part of what is read. */
static void s_json_take (dw_document_t *self, size_t size) {
    for (const char *end = self->text + self->at + size, *at = end - size; at < end; at++) {
        bool starts_character = ((unsigned char) *at & 0xc0) != 0x80;
        self->column = *at == '\n' ? 1 : self->column + starts_character;
        self->line += *at == '\n';
    }
    self->at += size;
}

/* The next byte that is no white space, not taken; '\0' at the end. */
static char s_json_peek (dw_document_t *self) {
    size_t at = self->at;
    while (at < self->size && (self->text[at] == ' ' || self->text[at] == '\t' ||
                               self->text[at] == '\n' || self->text[at] == '\r'))
        at++;
    s_json_take (self, at - self->at);
    return at < self->size ? self->text[at] : '\0';
}

/* The bytes of the scalar that begins here: a string up to its closing quote, anything else up to
 * what cannot be part of it. */
static size_t s_json_measure (const dw_document_t *self) {
    size_t at = self->at;
    if (self->text[at] != '"') {
        while (at < self->size && !strchr (" \t\r\n,:[]{}\"", self->text[at]))
            at++;
        return at - self->at;
    }
    for (at++; at < self->size && self->text[at] != '"'; at++)
        at += self->text[at] == '\\';
    return (at < self->size ? at + 1 : self->size) - self->at;
}

/* Reads a scalar. What is nothing in YAML is null here. */
static int s_json_scalar (dw_document_t *self, dw_item_t *item) {
    const char *bytes = self->text + self->at;
    size_t size = s_json_measure (self);
    json_error_t problem;
    json_decref (self->scalar);
    self->scalar = json_loadb (
        bytes, size, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &problem);
    if (!self->scalar && json_error_code (&problem) == json_error_out_of_memory)
        return s_no_memory (self);
    if (!self->scalar)
        return s_json_problem (self, problem.text);
    s_json_take (self, size);
    item->plain = !json_is_string (self->scalar);
    if (!item->plain) {
        item->text = json_string_value (self->scalar);
        item->size = json_string_length (self->scalar);
        return DW_OK;
    }
    item->size = json_is_null (self->scalar) ? 0 : size;
    if (item->size > NUMBER_MAX)
        return s_json_problem (self, "the number is too long");
    item->text = memcpy (self->number, bytes, item->size);
    self->number[item->size] = '\0';
    return DW_OK;
}

static int s_json_key (dw_document_t *self, dw_item_t *item) {
    int err = s_json_scalar (self, item);
    if (err)
        return err;
    if (s_json_peek (self) != ':')
        return s_json_problem (self, "a : is expected here");
    s_json_take (self, 1);
    self->expected = VALUE;
    return DW_OK;
}

static int s_json_open (dw_document_t *self, dw_item_t *item, dw_item_type_t type) {
    bool is_map = type == DW_ITEM_MAP;
    item->type = type;
    self->maps = self->maps << 1 | is_map;
    self->expected = is_map ? FIRST_KEY : FIRST_VALUE;
    s_json_take (self, 1);
    return DW_OK;
}

static int s_json_close (dw_document_t *self, dw_item_t *item) {
    item->type = DW_ITEM_END;
    self->maps >>= 1;
    self->expected = self->depth > 1 ? COMMA : NOTHING;
    s_json_take (self, 1);
    return DW_OK;
}

static int s_json_value (dw_document_t *self, dw_item_t *item, char byte) {
    if (byte == '[')
        return s_json_open (self, item, DW_ITEM_LIST);
    if (byte == '{')
        return s_json_open (self, item, DW_ITEM_MAP);
    if (byte == '\0' || strchr (",:]}", byte))
        return s_json_problem (self, "a value is expected here");
    self->expected = self->depth > 0 ? COMMA : NOTHING;
    return s_json_scalar (self, item);
}

/* Goes on by what may come here:
 *
 *     VALUE ------------> NOTHING                 the whole text
 *     FIRST_VALUE ------> COMMA ---> VALUE        in a list
 *     FIRST_KEY -> VALUE -> COMMA ---> KEY        in a map */
static int s_json_next (dw_document_t *self, dw_item_t *item) {
    bool in_map = self->maps & 1;
    char byte = s_json_peek (self), end = in_map ? '}' : ']';
    if (self->expected == COMMA && byte == ',') {
        s_json_take (self, 1);
        self->expected = in_map ? KEY : VALUE;
        byte = s_json_peek (self);
    }
    item->line = self->line;
    item->column = self->column;
    switch (self->expected) {
        case VALUE: return s_json_value (self, item, byte);
        case FIRST_VALUE:
            return byte == end ? s_json_close (self, item) : s_json_value (self, item, byte);
        case KEY:
        case FIRST_KEY:
            if (byte == end && self->expected == FIRST_KEY)
                return s_json_close (self, item);
            if (byte != '"')
                return s_json_problem (self, "a key in double quotes is expected here");
            return s_json_key (self, item);
        case COMMA:
            if (byte == end)
                return s_json_close (self, item);
            return s_json_problem (self, in_map ? "a , or } is expected here"
                                                : "a , or ] is expected here");
        case NOTHING:
            if (self->at < self->size)
                return s_json_problem (self, "nothing is expected after the end of the graph");
            item->type = DW_ITEM_DONE;
            return DW_OK;
    }
    return DW_OK;
}

/* ------------------------------------------------------------------------------------------- */

static int s_start (dw_document_t *self) {
    if (self->size >= 2 &&
        (memcmp (self->text, "\xff\xfe", 2) == 0 || memcmp (self->text, "\xfe\xff", 2) == 0))
        return dw_error_add (self->error, DW_EGRAPH, s_place (self, 1, 1),
                             "the file is UTF-16: save it as UTF-8");
    if (self->size >= 3 && memcmp (self->text, "\xef\xbb\xbf", 3) == 0) {
        self->text += 3;
        self->size -= 3;
    }
    if (self->json)
        s_json_peek (self);
    self->expected = self->at < self->size ? VALUE : NOTHING;
    return self->json ? DW_OK : s_yaml_start (self);
}

int dw_document_new (dw_document_t **self_p, const char *text, size_t size, const char *file,
                     bool json, dw_error_t *error) {
    assert (self_p);
    assert (text || size == 0);
    dw_document_t *self = calloc (1, sizeof (*self));
    if (!self)
        return dw_error_add (error, DW_ENOMEM, DW_NOWHERE, "out of memory");
    self->file = file;
    self->error = error;
    self->text = text ? text : "";
    self->size = size;
    self->json = json;
    self->line = self->column = 1;
    int err = s_start (self);
    if (err)
        dw_document_destroy (&self);
    else
        *self_p = self;
    return err;
}

void dw_document_destroy (dw_document_t **self_p) {
    assert (self_p);
    dw_document_t *self = *self_p;
    if (!self)
        return;
    if (self->has_parser) {
        yaml_event_delete (&self->event);
        yaml_parser_delete (&self->parser);
    }
    json_decref (self->scalar);
    free (self);
    *self_p = NULL;
}

int dw_document_next (dw_document_t *self, dw_item_t *item) {
    assert (self);
    *item = (dw_item_t){.type = DW_ITEM_SCALAR};
    int err = self->json ? s_json_next (self, item) : s_yaml_next (self, item);
    return err ? err : s_nest (self, item);
}
