"""A process of its own that uses the embedded server; a script, so that tests can kill it.

client.py hold ROOT          use the cluster, print its URL, go on until standard input ends
client.py churn ROOT TIMES   use it again and again, each time with a query
client.py write URL          insert rows one by one, printing each number once its commit is acknowledged
"""

import sys
from pathlib import Path

import psycopg

from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import QUICK


def hold(root: str) -> None:
    with Cluster(Path(root), extra_settings=QUICK).use() as url:
        print(url, flush=True)
        sys.stdin.read()


def churn(root: str, times: str) -> None:
    for _ in range(int(times)):
        with Cluster(Path(root), extra_settings=QUICK).use() as url, psycopg.connect(url) as connection:
            connection.execute("SELECT 1")


def write(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE acknowledged (n bigint PRIMARY KEY)")
        n = 0
        while True:
            connection.execute("INSERT INTO acknowledged VALUES (%s)", [n])
            print(n, flush=True)
            n += 1


if __name__ == "__main__":
    {"hold": hold, "churn": churn, "write": write}[sys.argv[1]](*sys.argv[2:])
