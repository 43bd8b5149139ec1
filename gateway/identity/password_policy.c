/* What a password of staff must be: two policies as a table, and what everybody tries first. */
#include "identity/password_policy.h"

#include <shimin/clock.h>

#include <ctype.h>
#include <string.h>

enum { DAY_SECONDS = 86400, PASSWORD_BYTES_MOST = 256, STEM_LEAST = 4 };

static const struct password_policy policies[] = {
    /* GB/T 22239-2019 §8.1.4.1: complexity and periodic change; numbers as assessors ask for them */
    {.name = "djbh3", .length = 12, .classes = 3, .history = 5, .age = INT64_C(90) * DAY_SECONDS * 1000000},
    /* NIST SP 800-63B-4: length instead of complexity, and no change without a reason */
    {.name = "nist", .length = 15, .classes = 1, .history = 0, .age = 0},
};

/* The words that guessers begin with; what stands around them (digits, signs) they try as well. */
static const char *const common[] = {
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "admin",   "administrator", "qwerty",   "qwertyuiop", "asdfgh", "zxcvbn",
    "letmein",  "welcome",  "iloveyou", "woaini",   "monkey",  "dragon",        "abc",      "abcd",       "root",   "test",
    "chengdu",  "sichuan",  "tianfu",   "shimin",   "zhengfu", "mima",          "huanying", "changeme",   "secret", "login",
};

const struct password_policy *password_policy_named(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(policies); i++)
        if (str_is(name, policies[i].name))
            return &policies[i];
    return NULL;
}

static unsigned classes_of(struct str password)
{
    bool lower = false, upper = false, digit = false, other = false;
    for (size_t i = 0; i < password.len; i++) {
        unsigned char c = (unsigned char)password.at[i];
        lower |= islower(c) != 0;
        upper |= isupper(c) != 0;
        digit |= isdigit(c) != 0;
        other |= !isalnum(c);
    }
    return (unsigned)lower + upper + digit + other;
}

/* Letters in lower case, without the digits and signs at both ends. */
static struct str stem_of(struct str password, char buffer[PASSWORD_BYTES_MOST])
{
    size_t from = 0, to = password.len;
    while (from < to && !isalpha((unsigned char)password.at[from]) && (unsigned char)password.at[from] < 0x80)
        from++;
    while (to > from && !isalpha((unsigned char)password.at[to - 1]) && (unsigned char)password.at[to - 1] < 0x80)
        to--;
    for (size_t i = from; i < to; i++)
        buffer[i - from] = (char)tolower((unsigned char)password.at[i]);
    return (struct str){buffer, to - from};
}

/* "aaaaaa…", "123456…", "987654…": each byte is the one before, or one more, or one less. */
static bool is_run(struct str password)
{
    for (int step = -1; step <= 1; step++) {
        size_t i = 1;
        while (i < password.len && password.at[i] - password.at[i - 1] == step)
            i++;
        if (i >= password.len)
            return true;
    }
    return false;
}

static bool is_common(struct str password)
{
    char buffer[PASSWORD_BYTES_MOST];
    struct str stem = stem_of(password, buffer);
    for (size_t i = 0; i < COUNT_OF(common); i++)
        if (str_is(stem, common[i]))
            return true;
    return !stem.len || is_run(password);
}

static bool holds_name(struct str password, struct str account)
{
    for (size_t i = 0; account.len >= STEM_LEAST && i + account.len <= password.len; i++)
        if (str_equal_nocase(str_slice(password, i, i + account.len), account))
            return true;
    return false;
}

struct bilingual password_fault(const struct password_policy *policy, struct str password, struct str account)
{
    if (password.len > PASSWORD_BYTES_MOST || !str_is_utf8(password) || memchr(password.at, '\0', password.len))
        return BILINGUAL("密码过长或含有不可用的字符", "The password is too long, or has bytes that are no text");
    if (str_code_points(password) < policy->length)
        return policy->length == 12 ? BILINGUAL("密码至少 12 个字符", "A password has at least 12 characters")
                                    : BILINGUAL("密码至少 15 个字符", "A password has at least 15 characters");
    if (classes_of(password) < policy->classes)
        return BILINGUAL("密码须含大写、小写、数字、符号中的三类",
                         "A password has three of: upper case, lower case, digits, other signs");
    if (holds_name(password, account))
        return BILINGUAL("密码不得包含用户名", "A password does not contain the account's name");
    if (is_common(password))
        return BILINGUAL("这个密码太常见", "This password is among the first that are guessed");
    return (struct bilingual){0};
}
