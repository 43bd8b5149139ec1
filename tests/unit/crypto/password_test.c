/* Passwords: argon2id's own vector, round trips, and strings that are not to be believed. */
#include "crypto/password.h"

#include "../suite.h"

/* The least that the configuration allows. */
static const struct password_cost small = {.memory = 19456, .passes = 2, .lanes = 1};

/* Made by the program of argon2's authors: password "password", salt "somesaltSOMESALT". */
#define VECTOR "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8"

START_TEST(the_published_string_is_verified)
{
    ck_assert(password_verify(STR(VECTOR), STR("password")));
    ck_assert(!password_verify(STR(VECTOR), STR("Password")));
    ck_assert(!password_verify(STR(VECTOR), STR("")));
    ck_assert(password_is_current(STR(VECTOR), small));
    ck_assert(!password_is_current(STR(VECTOR), password_cost_default));
}
END_TEST

START_TEST(what_is_hashed_verifies_and_two_hashes_differ)
{
    struct str password = STR("熊猫 Panda-1984"), one = password_hash(arena, small, password);
    struct str two = password_hash(arena, small, password);
    ck_assert(str_starts(one, STR("$argon2id$v=19$m=19456,t=2,p=1$")));
    ck_assert(!str_equal(one, two));
    ck_assert(password_verify(one, password) && password_verify(two, password));
}
END_TEST

START_TEST(no_password_fits_a_decoy)
{
    struct str decoy = password_decoy(arena, small);
    ck_assert(password_is_current(decoy, small));
    ck_assert(!password_verify(decoy, STR("password")));
}
END_TEST

START_TEST(strings_that_are_broken_or_ask_for_too_much_are_refused)
{
    static const char *const wrong[] = {
        "",
        "$",
        "plain",
        "$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=16$m=19456,t=2,p=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=19456,t=17,p=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=19456,t=0,p=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=8,t=2,p=4$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=19456,t=2$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=19456,t=2,p=1,x=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=19456,t=2,p=1$c29t$DkdiWnw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRTT01FU0FMVA$",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRTT01FU0FMVA$DkdiWnw7T03f",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRTT01FU0FMVA$Dkdi*nw7T03ffprnn4mlDkd3/sCJ7cwkgD7pdNvv6t8",
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRTT01FU0FMVA",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        ck_assert_msg(!password_verify(str_of(wrong[i]), STR("password")), "%s", wrong[i]);
    ck_assert(!password_verify(STR_NONE, STR("password")));
}
END_TEST

RUN_TESTS("password", the_published_string_is_verified, what_is_hashed_verifies_and_two_hashes_differ, no_password_fits_a_decoy,
          strings_that_are_broken_or_ask_for_too_much_are_refused)
