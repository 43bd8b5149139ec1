/* Key files and encrypted fields: round trips, binding, tampering, rotation, faults. */
#include "crypto/field.h"

#include "crypto/algorithms.h"
#include "support.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTEXT STR("citizen.id_number")
#define ROW STR("0190163d-8694-739b-aea5-966c26f8ad91")
#define ID_NUMBER STR("11010519491231002X")

static const char k1[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
static const char k2[] = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

static char folder[] = "/tmp/shimin-field-XXXXXX";
static char path[64];

static void folder_up(void)
{
    arena_up();
    strcpy(folder + sizeof(folder) - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/keys.yaml", folder);
}

static void folder_down(void)
{
    unlink(path);
    rmdir(folder);
    arena_down();
}

static void write_file(const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fchmod(fd, mode), 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

static struct keyring *load(void)
{
    struct text faults = text_open(arena, 64);
    struct keyring *keyring = keyring_load(path, &faults);

    ck_assert_msg(keyring != NULL, "%.*s", STR_ARG(text_str(&faults)));
    return keyring;
}

/* Two keys, of which `active` encrypts. */
static struct keyring *two_keys(const char *active, const char *suite1, const char *suite2)
{
    struct str text = str_printf(arena,
                                 "active: %s\n"
                                 "keys:\n"
                                 "  - {id: k1, suite: %s, key: \"%s\"}\n"
                                 "  - {id: k2, suite: %s, key: \"%s\"}\n"
                                 "blind_index: {id: b1, suite: intl, key: \"%s\"}\n",
                                 active, suite1, k1, suite2, k2, k1);

    write_file(str_to_c(arena, text), 0600);
    return load();
}

/* SUITE_INTL and SUITE_GM, for loop tests. */
static struct keyring *of_suite(int suite)
{
    return two_keys("k1", suite_of((unsigned)suite)->name, "intl");
}

START_TEST(a_field_comes_back_as_it_was)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 18, 4096, 100000};
    struct keyring *keyring = of_suite(_i);
    char *bytes = arena_alloc(arena, 100000);
    struct str back;

    random_bytes(bytes, 100000);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct str plain = {bytes, sizes[i]};
        struct str sealed = field_encrypt(arena, keyring, CONTEXT, ROW, plain);
        ck_assert_uint_eq(sealed.len, plain.len + (_i == SUITE_INTL ? 33 : 37));
        ck_assert(field_decrypt(arena, keyring, CONTEXT, ROW, sealed, &back));
        ck_assert(str_equal(back, plain));
    }
    keyring_free(keyring);
}
END_TEST

START_TEST(equal_values_are_stored_differently)
{
    struct keyring *keyring = of_suite(_i);

    ck_assert(!str_equal(field_encrypt(arena, keyring, CONTEXT, ROW, ID_NUMBER),
                         field_encrypt(arena, keyring, CONTEXT, ROW, ID_NUMBER)));
    keyring_free(keyring);
}
END_TEST

START_TEST(a_change_to_any_bit_is_noticed)
{
    struct keyring *keyring = of_suite(_i);
    struct str sealed = field_encrypt(arena, keyring, CONTEXT, ROW, ID_NUMBER), back;
    char *bytes = arena_copy(arena, sealed.at, sealed.len);

    for (size_t i = 0; i < sealed.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes[i] = (char)(bytes[i] ^ (1 << bit));
            ck_assert(!field_decrypt(arena, keyring, CONTEXT, ROW, (struct str){bytes, sealed.len}, &back));
            bytes[i] = (char)(bytes[i] ^ (1 << bit));
        }
    }
    for (size_t len = 0; len < sealed.len; len++)
        ck_assert(!field_decrypt(arena, keyring, CONTEXT, ROW, (struct str){bytes, len}, &back));
    ck_assert(field_decrypt(arena, keyring, CONTEXT, ROW, (struct str){bytes, sealed.len}, &back));
    keyring_free(keyring);
}
END_TEST

START_TEST(a_field_opens_only_in_its_place)
{
    struct keyring *keyring = of_suite(_i);
    struct str sealed = field_encrypt(arena, keyring, STR("ab"), STR("cd"), ID_NUMBER), back;

    ck_assert(!field_decrypt(arena, keyring, STR("ax"), STR("cd"), sealed, &back));
    ck_assert(!field_decrypt(arena, keyring, STR("ab"), STR("cx"), sealed, &back));
    ck_assert(!field_decrypt(arena, keyring, STR("abc"), STR("d"), sealed, &back));
    ck_assert(!field_decrypt(arena, keyring, STR("a"), STR("bcd"), sealed, &back));
    ck_assert(!field_decrypt(arena, keyring, STR("abcd"), STR_NONE, sealed, &back));
    keyring_free(keyring);
}
END_TEST

START_TEST(rotation_keeps_old_fields_readable)
{
    static const char *const names[] = {[SUITE_INTL] = "intl", [SUITE_GM] = "gm"};
    const char *other = names[_i == SUITE_INTL ? SUITE_GM : SUITE_INTL];
    struct keyring *before = two_keys("k1", names[_i], other), *after = two_keys("k2", names[_i], other);
    struct str old = field_encrypt(arena, before, CONTEXT, ROW, ID_NUMBER);
    struct str new = field_encrypt(arena, after, CONTEXT, ROW, ID_NUMBER), back;

    ck_assert(field_decrypt(arena, after, CONTEXT, ROW, old, &back) && str_equal(back, ID_NUMBER));
    ck_assert(field_decrypt(arena, before, CONTEXT, ROW, new, &back) && str_equal(back, ID_NUMBER));
    ck_assert(field_is_current(before, old) && !field_is_current(after, old) && field_is_current(after, new));
    ck_assert(!field_is_current(after, STR("\x01")));
    uint8_t index[2][DIGEST_SIZE];
    field_blind_index(before, CONTEXT, ID_NUMBER, index[0]);
    field_blind_index(after, CONTEXT, ID_NUMBER, index[1]);
    ck_assert_mem_eq(index[0], index[1], DIGEST_SIZE);
    keyring_free(before);
    keyring_free(after);
}
END_TEST

START_TEST(a_field_of_a_key_that_is_gone_does_not_open)
{
    struct keyring *both = two_keys("k2", "intl", "intl");
    struct str sealed = field_encrypt(arena, both, CONTEXT, ROW, ID_NUMBER), back;

    write_file(str_to_c(arena, str_printf(arena,
                                          "active: k1\n"
                                          "keys: [{id: k1, suite: intl, key: \"%s\"}]\n"
                                          "blind_index: {id: b1, suite: gm, key: \"%s\"}\n",
                                          k1, k2)),
               0400);
    struct keyring *one = load();
    ck_assert(!field_decrypt(arena, one, CONTEXT, ROW, sealed, &back));
    ck_assert_ptr_null(keyring_find(one, STR("k2")));
    keyring_free(both);
    keyring_free(one);
}
END_TEST

START_TEST(a_blind_index_depends_on_context_value_and_key)
{
    struct keyring *keyring = of_suite(SUITE_INTL);
    uint8_t a[DIGEST_SIZE], b[DIGEST_SIZE];

    field_blind_index(keyring, CONTEXT, ID_NUMBER, a);
    field_blind_index(keyring, CONTEXT, ID_NUMBER, b);
    ck_assert_mem_eq(a, b, sizeof(a));
    field_blind_index(keyring, STR("citizen.phone"), ID_NUMBER, b);
    ck_assert_mem_ne(a, b, sizeof(a));
    field_blind_index(keyring, CONTEXT, STR("110105194912310021"), b);
    ck_assert_mem_ne(a, b, sizeof(a));
    hmac_sha256(STR("another key"), STR("citizen.id_number11010519491231002X"), b);
    ck_assert_mem_ne(a, b, sizeof(a));
    ck_str_is(keyring_blind_index_id(keyring), "b1");
    keyring_free(keyring);
}
END_TEST

/* GB/T 32907-2016, appendix A: the cipher underneath gm is SM4. In counter mode, a counter that equals the vector's plaintext
 * gives the vector's ciphertext as key stream. */
START_TEST(sm4_gives_the_published_value)
{
    struct str key = unhex("0123456789abcdeffedcba9876543210");
    EVP_CIPHER_CTX *ctx = crypto_contexts()->sm4_ctr;
    uint8_t out[16], zero[16] = {0};
    int len;

    ck_assert_int_eq(
        EVP_EncryptInit_ex2(ctx, crypto_algorithms()->sm4_ctr, (const uint8_t *)key.at, (const uint8_t *)key.at, NULL), 1);
    ck_assert_int_eq(EVP_EncryptUpdate(ctx, out, &len, zero, sizeof(zero)), 1);
    ck_str_is(hex_encode(arena, out, sizeof(out)), "681edf34d206965e86b3e94f536e4246");
}
END_TEST

START_TEST(a_created_file_is_closed_to_others_and_loads)
{
    struct text faults = text_open(arena, 64);
    struct stat status;
    struct str back;

    ck_assert(keyring_create(path, (enum crypto_suite)_i, &faults));
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 07777, 0600);
    struct keyring *keyring = load();
    ck_assert_int_eq(keyring_active(keyring)->suite, _i);
    struct str sealed = field_encrypt(arena, keyring, CONTEXT, ROW, ID_NUMBER);
    ck_assert(field_decrypt(arena, keyring, CONTEXT, ROW, sealed, &back) && str_equal(back, ID_NUMBER));
    keyring_free(keyring);
    ck_assert(!keyring_create(path, SUITE_GM, &faults)); /* never overwritten */
    ck_assert_int_ge(str_find(text_str(&faults), STR("exists")), 0);
    keyring_free(load());
}
END_TEST

#define KEY "{id: k1, suite: intl, key: \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"}"
static const struct {
    const char *text;
    mode_t mode;
    const char *fault; /* NULL: no file at all */
} bad_files[] = {
    {"", 0600, "is not YAML"},
    {"- a\n", 0600, "keys must"},
    {"a: [", 0600, "is not YAML"},
    {"active: k1\nkeys: [" KEY "]\nblind_index: " KEY "\n", 0640, "closed to group and others"},
    {"active: k1\nkeys: [" KEY "]\nblind_index: " KEY "\n", 0604, "closed to group and others"},
    {"active: k2\nkeys: [" KEY "]\nblind_index: " KEY "\n", 0600, "active must name"},
    {"active: k1\nkeys: [" KEY "]\n", 0600, "blind_index must"},
    {"active: k1\nkeys: [" KEY ", " KEY "]\nblind_index: " KEY "\n", 0600, "given to two keys"},
    {"active: k1\nkeys: [" KEY "]\nblind_index: " KEY "\nother: 1\n", 0600, ":4: a key file has the members"},
    {"active: k1\nkeys: [" KEY "]\nblind_index: " KEY "\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=: 1\n", 0600,
     ":4: a key file has the members"},
    {"active: k1\nkeys:\n  - " KEY "\n  - {id: \"a b\", suite: rot13, key: AAEC}\nblind_index: " KEY "\n", 0600, ":4: id must"},
    {"active: k1\nkeys:\n  - " KEY "\n  - {id: \"a b\", suite: rot13, key: AAEC}\nblind_index: " KEY "\n", 0600,
     ":4: suite must"},
    {"active: k1\nkeys:\n  - " KEY "\n  - {id: \"a b\", suite: rot13, key: AAEC}\nblind_index: " KEY "\n", 0600,
     ":4: key must"},
    {"active: k1\nkeys: [1]\nblind_index: " KEY "\n", 0600, "key must"},
};

START_TEST(a_faulty_key_file_is_refused_by_name)
{
    struct text faults = text_open(arena, 64);

    write_file(bad_files[_i].text, bad_files[_i].mode);
    ck_assert_ptr_null(keyring_load(path, &faults));
    struct str all = text_str(&faults);
    ck_assert_msg(str_find(all, str_of(bad_files[_i].fault)) >= 0, "%.*s", STR_ARG(all));
    ck_assert(str_starts(all, str_of(path)));
    ck_assert_msg(str_find(all, STR("AAEC")) < 0, "a fault quotes a key");
}
END_TEST

START_TEST(a_missing_key_file_is_a_fault)
{
    struct text faults = text_open(arena, 64);

    ck_assert_ptr_null(keyring_load(path, &faults));
    ck_assert_int_ge(str_find(text_str(&faults), STR("does not exist")), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, folder_up, folder_down);
    tcase_add_loop_test(tests, a_field_comes_back_as_it_was, SUITE_INTL, SUITE_GM + 1);
    tcase_add_loop_test(tests, equal_values_are_stored_differently, SUITE_INTL, SUITE_GM + 1);
    tcase_add_loop_test(tests, a_change_to_any_bit_is_noticed, SUITE_INTL, SUITE_GM + 1);
    tcase_add_loop_test(tests, a_field_opens_only_in_its_place, SUITE_INTL, SUITE_GM + 1);
    tcase_add_loop_test(tests, rotation_keeps_old_fields_readable, SUITE_INTL, SUITE_GM + 1);
    tcase_add_test(tests, a_field_of_a_key_that_is_gone_does_not_open);
    tcase_add_test(tests, a_blind_index_depends_on_context_value_and_key);
    tcase_add_test(tests, sm4_gives_the_published_value);
    tcase_add_loop_test(tests, a_created_file_is_closed_to_others_and_loads, SUITE_INTL, SUITE_GM + 1);
    tcase_add_loop_test(tests, a_faulty_key_file_is_refused_by_name, 0, COUNT_OF(bad_files));
    tcase_add_test(tests, a_missing_key_file_is_a_fault);
    return run(tests, "field");
}
