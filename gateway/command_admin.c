/* shimin admin: accounts of staff from the machine itself: the first one, and the way back in when nobody can log in. */
#include "command.h"

#include "crypto/field.h"
#include "crypto/password.h"
#include "crypto/totp.h"
#include "identity/password_policy.h"
#include "owner.h"

#include <shimin/actor.h>
#include <shimin/clock.h>
#include <shimin/id.h>

#include <openssl/crypto.h>

#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { PASSWORD_MOST = 258 }; /* with the end of line */

/* An account as the words of the command describe it. */
struct wish {
    const char *name, *roles, *department, *area, *display_name;
};

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

static bool read_password(const struct config *config, const char *name, char password[PASSWORD_MOST])
{
    const struct password_policy *policy = password_policy_named(str_of(config_string(config, "staff.password_policy")));
    char again[PASSWORD_MOST] = "";
    const char *fault = NULL;
    if (!read_line("Password: ", password))
        fault = "no password was given";
    else if (password_fault(policy, str_of(password), str_of(name)).en.at)
        fault = password_fault(policy, str_of(password), str_of(name)).en.at;
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

static bool record(struct arena *arena, PGconn *connection, const char *action, const char *name)
{
    return operator_record(connection, action, str_printf(arena, "staff:%s", name).at, "done", NULL);
}

/* What an account proves itself with: asked for, and made. */
struct proof {
    struct str id, phc, secret;
    uint8_t secret_bytes[TOTP_SECRET_SIZE];
    struct str sealed; /* the secret, as bytea */
};

static bool make_proof(struct arena *arena, const struct config *config, const char *name, struct str id, struct proof *proof)
{
    char password[PASSWORD_MOST] = "";
    struct keyring *keyring = load_keyring(arena, config);
    bool good = keyring && read_password(config, name, password);
    if (good) {
        random_bytes(proof->secret_bytes, sizeof proof->secret_bytes);
        proof->id = id;
        proof->secret = (struct str){(const char *)proof->secret_bytes, sizeof proof->secret_bytes};
        proof->phc = password_hash(arena, cost_of(config), str_of(password));
        proof->sealed = hex_bytea(arena, field_encrypt(arena, keyring, STR("staff_credential.totp"), proof->id, proof->secret));
    }
    OPENSSL_cleanse(password, sizeof password);
    keyring_free(keyring);
    return good;
}

static void print_secret(struct arena *arena, const char *name, struct proof *proof)
{
    printf("%s: done. The second factor, for an authenticator app, shown only here:\n%.*s\n", name,
           STR_ARG(totp_uri(arena, STR("Shimin"), str_of(name), proof->secret)));
    OPENSSL_cleanse(proof->secret_bytes, sizeof proof->secret_bytes);
}

static bool remember_password(PGconn *connection, const struct proof *proof)
{
    return owner_run(connection, "INSERT INTO shimin.staff_password (staff_id, password_hash) VALUES ($1::uuid, $2)",
                     (const char *const[]){proof->id.at, proof->phc.at}, 2);
}

static int create(const struct config *config, const struct wish *wish)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    CLEANUP(owner_close) PGconn *connection = owner_connect(config);
    struct proof proof;
    if (!connection || !make_proof(arena, config, wish->name, id_new(arena), &proof))
        return EXIT_FAILED;
    const char *const values[] = {
        proof.id.at,  wish->name,      wish->display_name, wish->roles, wish->department, wish->area, operator_label(arena).at,
        proof.phc.at, proof.sealed.at,
    };
    if (!owner_run(connection, "BEGIN", NULL, 0) ||
        !owner_run(connection,
                   "WITH account AS (INSERT INTO shimin.staff (id, name, display_name, roles, department, area, created_by) "
                   "VALUES ($1::uuid, $2, $3, $4::text[], $5, $6, $7) RETURNING id) "
                   "INSERT INTO shimin.staff_credential (staff_id, password_hash, password_temporary, totp_cipher, "
                   "totp_confirmed) SELECT id, $8, false, $9::bytea, true FROM account",
                   values, COUNT_OF(values)) ||
        !remember_password(connection, &proof) || !record(arena, connection, "createStaff", wish->name) ||
        !owner_run(connection, "COMMIT", NULL, 0))
        return EXIT_FAILED;
    print_secret(arena, wish->name, &proof);
    return EXIT_DONE;
}

static int run_create(const struct config *config, int argc, char **argv)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
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

static int run_list(const struct config *config, int argc, char **argv)
{
    (void)argv;
    if (argc)
        return usage_fault(&command_admin, "list takes no further words");
    CLEANUP(owner_close) PGconn *connection = owner_connect(config);
    PGresult *rows =
        connection ? owner_query(connection,
                                 "SELECT account.name, array_to_string(roles, ','), coalesce(department, area, ''), state, "
                                 "coalesce(to_char(last_login_at, 'YYYY-MM-DD HH24:MI'), 'never') FROM shimin.staff account "
                                 "JOIN shimin.staff_credential ON staff_id = account.id ORDER BY account.name",
                                 NULL, 0)
                   : NULL;
    for (int i = 0; rows && i < PQntuples(rows); i++)
        printf("%-32s %-18s %-24s %-7s last login %s\n", PQgetvalue(rows, i, 0), PQgetvalue(rows, i, 1), PQgetvalue(rows, i, 2),
               PQgetvalue(rows, i, 3), PQgetvalue(rows, i, 4));
    PQclear(rows);
    return rows ? EXIT_DONE : EXIT_FAILED;
}

/* The account's id, in the arena; NULL after saying why not. */
static const char *find_account(struct arena *arena, PGconn *connection, const char *name)
{
    PGresult *row = owner_query(connection, "SELECT id FROM shimin.staff WHERE name = $1", &name, 1);
    const char *id = row && PQntuples(row) == 1 ? str_copy(arena, str_of(PQgetvalue(row, 0, 0))).at : NULL;
    if (row && !id)
        fprintf(stderr, "shimin admin: there is no account \"%s\"\n", name);
    PQclear(row);
    return id ? str_printf(arena, "%.36s", id).at : NULL;
}

static int set_state(const struct config *config, int argc, char **argv, const char *state, const char *action)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    if (argc != 1)
        return usage_fault(&command_admin, "name one account");
    CLEANUP(owner_close) PGconn *connection = owner_connect(config);
    const char *id = connection ? find_account(arena, connection, argv[0]) : NULL;
    if (!id || !owner_run(connection, "BEGIN", NULL, 0) ||
        !owner_run(connection, "UPDATE shimin.staff SET state = $2 WHERE id = $1::uuid", (const char *const[]){id, state}, 2) ||
        !record(arena, connection, action, argv[0]) || !owner_run(connection, "COMMIT", NULL, 0))
        return EXIT_FAILED;
    printf("%s: %s\n", argv[0], state);
    return EXIT_DONE;
}

static int run_lock(const struct config *config, int argc, char **argv)
{
    return set_state(config, argc, argv, "locked", "lockStaff");
}

static int run_unlock(const struct config *config, int argc, char **argv)
{
    return set_state(config, argc, argv, "active", "unlockStaff");
}

static int run_reset(const struct config *config, int argc, char **argv)
{
    CLEANUP(arena_close_held) struct arena *arena = arena_open();
    if (argc != 1)
        return usage_fault(&command_admin, "name one account");
    CLEANUP(owner_close) PGconn *connection = owner_connect(config);
    const char *id = connection ? find_account(arena, connection, argv[0]) : NULL;
    struct proof proof;
    if (!id || !make_proof(arena, config, argv[0], str_of(id), &proof))
        return EXIT_FAILED;
    if (!owner_run(connection, "BEGIN", NULL, 0) ||
        !owner_run(
            connection,
            "UPDATE shimin.staff_credential SET password_hash = $2, password_set_at = now(), password_temporary = false, "
            "totp_cipher = $3::bytea, totp_confirmed = true, totp_step = 0, epoch = epoch + 1 WHERE staff_id = $1::uuid",
            (const char *const[]){id, proof.phc.at, proof.sealed.at}, 3) ||
        !remember_password(connection, &proof) || !record(arena, connection, "resetStaff", argv[0]) ||
        !owner_run(connection, "COMMIT", NULL, 0))
        return EXIT_FAILED;
    print_secret(arena, argv[0], &proof);
    return EXIT_DONE;
}

static const struct {
    const char *name;
    int (*run)(const struct config *config, int argc, char **argv);
} acts[] = {
    {"create", run_create}, {"list", run_list}, {"lock", run_lock}, {"unlock", run_unlock}, {"reset", run_reset},
};

static int run_admin(int argc, char **argv)
{
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    for (size_t i = 0; argc && i < COUNT_OF(acts); i++)
        if (strcmp(argv[0], acts[i].name) == 0)
            return acts[i].run(config, argc - 1, argv + 1);
    return usage_fault(&command_admin, "say create, list, lock, unlock or reset");
}

const struct command command_admin = {
    .name = "admin",
    .usage = "create NAME [--role ROLE[,ROLE]] [--department SLUG | --area CODE] [--display-name TEXT]\n"
             "       shimin admin list\n"
             "       shimin admin lock|unlock|reset NAME",
    .summary = "Make the first account of staff, or find the way back in.",
    .help = "\nWho may read the owner's password and the key file needs no account for it; each change is in the audit.\n"
            "create and reset ask for the password on the terminal, or read it from standard input, and print the secret of\n"
            "the second factor as an otpauth URI, once. lock and reset end what the account has open. The last account with\n"
            "the role security cannot be locked. Roles: security (the default: it makes all other accounts), system, audit,\n"
            "operator (with a department or an area), manager and engineer (with a department).\n",
    .run = run_admin,
};
