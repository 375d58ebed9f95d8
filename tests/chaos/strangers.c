#include "tests/chaos/chaos.h"
void chaos_busy (chaos_t *self) {
    (void) self;
}
void chaos_keys (chaos_t *self) {
    (void) self;
}
void chaos_silent (chaos_t *self) {
    (void) self;
}
void chaos_garbage (chaos_t *self) {
    (void) self;
}
void chaos_bombs (chaos_t *self) {
    (void) self;
}
void chaos_endless (chaos_t *self) {
    (void) self;
}
