/* shimin admin: accounts of staff from the machine itself: the first one, and the way back in when nobody can log in. */
#include "command.h"

#include "crypto/field.h"
#include "crypto/password.h"
#include "crypto/totp.h"
#include "owner.h"

#include <shimin/actor.h>
#include <shimin/clock.h>
#include <shimin/id.h>

#include <openssl/crypto.h>

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MOST = 256, PASSWORD_LEAST = 12 };

/* An account as the words of the command describe it. */
struct wish {
    const char *name, *roles, *department, *area, *display_name;
};

static const char *operator_label(struct arena *arena)
{
    const struct passwd *user = getpwuid(getuid());
    return str_printf(arena, "machine:%s", user ? user->pw_name : "unknown").at;
}

/* One line of the terminal without echo, or of standard input. false at its end. */
static bool read_line(const char *prompt, char line[PASSWORD_MOST])
{
    struct termios before, silent;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        fputs(prompt, stderr);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    bool read = fgets(line, PASSWORD_MOST, stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (read)
        line[strcspn(line, "\r\n")] = '\0';
    return read;
}

static bool read_password(char password[PASSWORD_MOST])
{
    char again[PASSWORD_MOST] = "";
    const char *fault = NULL;
    if (!read_line("Password: ", password))
        fault = "no password was given";
    else if (strlen(password) < PASSWORD_LEAST)
        fault = "the password must have at least 12 characters";
    else if (isatty(STDIN_FILENO) && (!read_line("Again: ", again) || strcmp(again, password) != 0))
        fault = "the two are not the same";
    OPENSSL_cleanse(again, sizeof again);
    if (fault)
        fprintf(stderr, "shimin admin: %s\n", fault);
    return !fault;
}

/* "manager,engineer" as Postgres writes an array; NULL when a word is no role. */
static const char *role_array(struct arena *arena, const char *words)
{
    struct str rest = str_of(words);
    enum role role;
    while (rest.at)
        if (!role_named(str_cut(&rest, ','), &role))
            return NULL;
    return str_printf(arena, "{%s}", words).at;
}

static struct str hex_bytea(struct arena *arena, struct str bytes)
{
    return str_printf(arena, "\\x%.*s", STR_ARG(hex_encode(arena, bytes.at, bytes.len)));
}

static struct password_cost cost_of(const struct config *config)
{
    return (struct password_cost){
        .memory = (uint32_t)(config_size(config, "staff.password_memory") / 1024),
        .passes = (uint32_t)config_integer(config, "staff.password_passes"),
        .lanes = (uint32_t)config_integer(config, "staff.password_lanes"),
    };
}

static struct keyring *load_keyring(struct arena *arena, const struct config *config)
{
    struct text faults = text_open(arena, 256);
    struct keyring *keyring = keyring_load(config_string(config, "keys.file"), &faults);
    if (!keyring)
        fprintf(stderr, "%.*s", STR_ARG(text_str(&faults)));
    return keyring;
}

/* What happens here is in the audit as what happens over the API is. */
static bool record(struct arena *arena, PGconn *connection, const char *action, const char *name)
{
    struct text text = text_open(arena, 256);
    struct json_out out = json_write(&text);
    json_array(&out);
    json_object(&out);
    json_field(&out, "id", id_new(arena));
    json_field_i64(&out, "at", clock_wall());
    json_field_c(&out, "actor", operator_label(arena));
    json_field_c(&out, "action", action);
    json_field(&out, "object", str_printf(arena, "staff:%s", name));
    json_field_c(&out, "status", "done");
    json_end_all(&out);
    return owner_run(connection, "SELECT shimin.audit_append($1::jsonb)", (const char *const[]){text_str(&text).at}, 1);
}

static bool insert_account(struct arena *arena, PGconn *connection, const struct wish *wish, struct str id, struct str phc,
                           struct str sealed)
{
    const char *const values[] = {id.at,
                                  wish->name,
                                  wish->display_name,
                                  wish->roles,
                                  wish->department,
                                  wish->area,
                                  operator_label(arena),
                                  phc.at,
                                  hex_bytea(arena, sealed).at};
    return owner_run(connection, "BEGIN", NULL, 0) &&
           owner_run(connection,
                     "WITH account AS (INSERT INTO shimin.staff (id, name, display_name, roles, department, area, created_by) "
                     "VALUES ($1::uuid, $2, $3, $4::text[], $5, $6, $7) RETURNING id) "
                     "INSERT INTO shimin.staff_credential (staff_id, password_hash, password_temporary, totp_cipher, "
                     "totp_confirmed) SELECT id, $8, false, $9::bytea, true FROM account",
                     values, COUNT_OF(values)) &&
           owner_run(connection, "INSERT INTO shimin.staff_password (staff_id, password_hash) VALUES ($1::uuid, $2)",
                     (const char *const[]){id.at, phc.at}, 2) &&
           record(arena, connection, "createStaff", wish->name) && owner_run(connection, "COMMIT", NULL, 0);
}

static int create(const struct config *config, const struct wish *wish)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(owner_close) PGconn *connection = owner_connect(config);
    struct keyring *keyring = connection ? load_keyring(arena, config) : NULL;
    char password[PASSWORD_MOST] = "";
    if (!keyring || !read_password(password))
        return EXIT_FAILED;
    uint8_t bytes[TOTP_SECRET_SIZE];
    random_bytes(bytes, sizeof bytes);
    struct str id = id_new(arena), secret = {(const char *)bytes, sizeof bytes};
    struct str phc = password_hash(arena, cost_of(config), str_of(password));
    struct str sealed = field_encrypt(arena, keyring, STR("staff_credential.totp"), id, secret);
    OPENSSL_cleanse(password, sizeof password);
    keyring_free(keyring);
    if (!insert_account(arena, connection, wish, id, phc, sealed))
        return EXIT_FAILED;
    printf("%s: made. The second factor, for an authenticator app, shown only here:\n%.*s\n", wish->name,
           STR_ARG(totp_uri(arena, STR("Shimin"), str_of(wish->name), secret)));
    OPENSSL_cleanse(bytes, sizeof bytes);
    return EXIT_DONE;
}

static int run_create(struct arena *arena, const struct config *config, int argc, char **argv)
{
    const char *roles = option_take(&argc, argv, "--role"), *display = option_take(&argc, argv, "--display-name");
    struct wish wish = {
        .department = option_take(&argc, argv, "--department"),
        .area = option_take(&argc, argv, "--area"),
        .roles = role_array(arena, roles ? roles : "security"),
    };
    if (argc != 1)
        return usage_fault(&command_admin, "say create and one name");
    if (!wish.roles)
        return usage_fault(&command_admin, "the roles are system, security, audit, operator, manager, engineer");
    wish.name = argv[0];
    wish.display_name = display ? display : argv[0];
    return create(config, &wish);
}

static int run_admin(int argc, char **argv)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    if (argc && strcmp(argv[0], "create") == 0)
        return run_create(arena, config, argc - 1, argv + 1);
    return usage_fault(&command_admin, "say create");
}

const struct command command_admin = {
    .name = "admin",
    .usage = "create NAME [--role ROLE[,ROLE]] [--department SLUG | --area CODE] [--display-name TEXT]",
    .summary = "Make the first account of staff, or find the way back in.",
    .help = "\nWho may read the owner's password and the key file needs no account for it; each use is in the audit.\n"
            "create asks for the password on the terminal, or reads it from standard input, and prints the secret of the\n"
            "second factor as an otpauth URI, once. Roles: security (the default: it makes all other accounts), system,\n"
            "audit, operator (with a department or an area), manager and engineer (with a department).\n",
    .run = run_admin,
};
