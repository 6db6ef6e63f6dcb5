"""Members by REST: an admin changes roles and lets people go."""

from tests.support.rest import API, Caller, Rest, assert_problem

pytest_plugins = ["tests.support.rest_fixtures"]


async def test_an_admin_changes_the_role_of_another_member(rest: Rest) -> None:
    path = f"{API}/members/{rest.agent_member.id}"
    refused = await rest.client.patch(path, json={"role": "admin"}, headers=rest.agent.headers)
    assert_problem(refused, 403, "not-allowed")
    answer = await rest.client.patch(path, json={"role": "admin"}, headers=rest.admin.headers)
    assert (answer.status_code, answer.json()["role"]) == (200, "admin")
    assert_problem(await rest.agent.get("/auth/me"), 401, "not-logged-in")
    again = Caller(rest.client, await rest.process.store.accounts.tokens.for_member(rest.agent_member))
    assert (await again.get("/auth/me")).json()["role"] == "admin"
    own = f"{API}/members/{rest.admin_member.id}"
    itself = await rest.client.patch(own, json={"role": "agent"}, headers=rest.admin.headers)
    assert "ask another admin" in assert_problem(itself, 403, "not-allowed")["detail"]
    odd = await rest.client.patch(path, json={"role": "owner"}, headers=rest.admin.headers)
    assert_problem(odd, 422, "invalid")


async def test_a_removed_member_is_out_and_their_conversation_is_free(rest: Rest) -> None:
    conversation_id, store = await rest.write(), rest.process.store
    await store.conversations.actions.take_over(rest.agent_member, conversation_id)
    path = f"/members/{rest.agent_member.id}"
    assert_problem(await rest.agent.delete(f"/members/{rest.admin_member.id}"), 403, "not-allowed")
    assert_problem(await rest.stranger.delete(path), 404, "not-found")
    with store.cluster.events.listen(conversation_id) as news:
        assert (await rest.admin.delete(path)).status_code == 204
        assert news.is_set()
    assert_problem(await rest.agent.get("/auth/me"), 401, "not-logged-in")
    assert (await store.conversations.reading.read("demo", conversation_id)).assignee_id is None
    assert_problem(await rest.admin.delete(path), 404, "not-found")
