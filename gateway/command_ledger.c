/* shimin ledger: prove that the books balance, and show what the accounts stand at. */
#include "command_ledger.h"

#include "command.h"
#include "owner.h"

#include <shimin/clock.h>

#include <stdio.h>
#include <string.h>

enum { ROWS_SHOWN = 10 };

static void result_clear(PGresult **result)
{
    PQclear(*result);
}

/* NULL after printing Postgres' message. */
static PGresult *ask(PGconn *connection, const char *sql)
{
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        return result;
    fprintf(stderr, "shimin ledger: %s", PQerrorMessage(connection));
    PQclear(result);
    return NULL;
}

static void print_rows(const PGresult *result)
{
    int rows = PQntuples(result);
    for (int row = 0; row < rows && row < ROWS_SHOWN; row++) {
        for (int column = 0; column < PQnfields(result); column++)
            printf("%s%s %s", column ? ", " : "    ", PQfname(result, column),
                   PQgetisnull(result, row, column) ? "-" : PQgetvalue(result, row, column));
        putchar('\n');
    }
    if (rows > ROWS_SHOWN)
        printf("    and %d more\n", rows - ROWS_SHOWN);
}

/* All of them, though one is broken: who mends it wants to know what else is. */
static int verify(PGconn *connection)
{
    int status = EXIT_DONE;
    int64_t began = clock_steady();
    for (size_t i = 0; i < ledger_invariant_count; i++) {
        CLEANUP(result_clear) PGresult *broken = ask(connection, ledger_invariants[i].sql);
        if (!broken)
            return EXIT_FAILED;
        bool good = PQntuples(broken) == 0;
        printf("%s %s\n", good ? "ok    " : "BROKEN", ledger_invariants[i].what);
        print_rows(broken);
        fflush(stdout);
        if (!good)
            status = EXIT_FAILED;
    }
    CLEANUP(result_clear)
    PGresult *counts =
        ask(connection, "SELECT (SELECT count(*) FROM shimin.ledger_transaction), (SELECT count(*) FROM shimin.payment)");
    if (!counts)
        return EXIT_FAILED;
    printf("%s: %s transactions, %s payments; %.1f s\n", status == EXIT_DONE ? "proved" : "broken", PQgetvalue(counts, 0, 0),
           PQgetvalue(counts, 0, 1), (double)(clock_steady() - began) / 1e6);
    return status;
}

static int balance(PGconn *connection)
{
    CLEANUP(result_clear)
    PGresult *accounts = ask(connection, "SELECT kind, party, to_char(balance_fen / 100.0, 'FM999999999990.00') "
                                         "FROM shimin.ledger_balance ORDER BY kind, party");
    if (!accounts)
        return EXIT_FAILED;
    for (int row = 0; row < PQntuples(accounts); row++)
        printf("%-10s %-30s %18s\n", PQgetvalue(accounts, row, 0), PQgetvalue(accounts, row, 1), PQgetvalue(accounts, row, 2));
    return EXIT_DONE;
}

/* All is read as of one instant, with no more rights than the gateway has. */
static int ledger(int argc, char **argv)
{
    CLEANUP(owner_config_close) struct config *config = command_config(&argc, argv);
    bool verifies = argc == 1 && strcmp(argv[0], "verify") == 0;
    if (!verifies && (argc != 1 || strcmp(argv[0], "balance") != 0))
        return usage_fault(&command_ledger, "say verify or balance");
    CLEANUP(owner_close) PGconn *connection = application_connect(config);
    if (!connection || !owner_run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL, 0))
        return EXIT_FAILED;
    int status = verifies ? verify(connection) : balance(connection);
    bool recorded =
        owner_run(connection, "COMMIT", NULL, 0) && operator_record(connection, verifies ? "verifyLedger" : "readLedger",
                                                                    "ledger", status == EXIT_DONE ? "done" : "failed", NULL);
    return recorded ? status : EXIT_FAILED;
}

const struct command command_ledger = {
    .name = "ledger",
    .usage = "verify|balance",
    .summary = "Prove that payments, refunds and books agree; show balances.",
    .help = "\nverify runs each invariant of services/payments/README.md as of one instant, names the rows that break one, and "
            "ends with 1\n"
            "if any is broken. It changes nothing and may run beside the gateways.\n"
            "balance prints what each account of the ledger stands at, in yuan: debits positive, credits negative.\n",
    .run = ledger,
};
