"""Tasks find our broker from every thread."""

from concurrent.futures import ThreadPoolExecutor

from celery import current_app

from deploy.worker import app


def test_every_thread_sends_through_our_application():
    with ThreadPoolExecutor(1) as pool:
        broker_of_a_thread = pool.submit(lambda: current_app.conf.broker_url).result()

    assert broker_of_a_thread == app.conf.broker_url == "pgmq://localhost"


def test_task_survives_a_worker_that_dies():
    assert app.conf.task_acks_late
    assert app.conf.task_ignore_result
