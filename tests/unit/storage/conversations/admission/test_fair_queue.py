from storage.conversations.admission.fair_queue import FairQueue


def test_a_round_serves_one_turn_of_a_customer_and_ten_of_a_workspace() -> None:
    queue = FairQueue()
    assert queue.customer_step == 10 * queue.workspace_step


def test_a_customer_crowds_who_is_further_ahead_of_the_workspace_than_one_turn() -> None:
    queue = FairQueue(customer_step=10, workspace_step=1)
    assert not queue.is_crowd(customer_rank=110, workspace_rank=101)
    assert not queue.is_crowd(customer_rank=111, workspace_rank=101)
    assert queue.is_crowd(customer_rank=112, workspace_rank=101)


def test_the_crowd_of_a_workspace_is_no_crowd_of_its_customer() -> None:
    assert not FairQueue().is_crowd(customer_rank=110, workspace_rank=900)
